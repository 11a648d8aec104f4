import { formatUsd } from '@synapsekit/core';

type Usd = Parameters<typeof formatUsd>[0];

/** Decimal places that a column of costs keeps room for. */
const places = 8;

/** Dollars for a column of costs that is aligned to the right: the points stand below each other. */
export function usdCell(amount: Usd): string {
  const text = formatUsd(amount);
  const fraction = text.length - text.indexOf('.') - 1;
  return text + ' '.repeat(Math.max(0, places - fraction));
}
