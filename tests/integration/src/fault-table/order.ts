import { type Fault, faults } from '@synapsekit/testing';
import type { NamedFault, Order } from './fault-case.ts';

/** The plain data of a fault. `undefined` where the port is closed instead. */
export function faultOf(order: Order): Fault | undefined {
  if (order === 'refuse-connections') return undefined;
  const named = namedFaults(order);
  return named === undefined ? (order as Fault) : Object.assign({}, ...named.map(make));
}

/** The faults of an order by their makers; `undefined` for one that is written out. */
export function namedFaults(order: Order): readonly NamedFault[] | undefined {
  if (!Array.isArray(order)) return undefined;
  return typeof order[0] === 'string' ? [order as unknown as NamedFault] : order;
}

function make([name, ...args]: NamedFault): Fault {
  return (faults[name] as (...args: readonly unknown[]) => Fault)(...args);
}
