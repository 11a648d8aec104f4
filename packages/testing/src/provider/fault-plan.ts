import { type Clock, ConfigError, type Random, rejectUnknownKeys, requireNumber } from '@synapsekit/core';
import type { Fault } from './fault.ts';
import { checkFault } from './fault-check.ts';
import { type ProviderName, providerNames } from './model.ts';
import type { SimulatedRequest } from './simulated-request.ts';

/** Which requests a fault is for. Everything given must hold. */
export interface FaultTarget {
  readonly provider?: ProviderName | undefined;
  /** Model id as the request names it. */
  readonly model?: string | undefined;
  /** Only streamed (true) or only plain (false) requests. */
  readonly stream?: boolean | undefined;
  /** Any other condition. */
  readonly where?: ((request: SimulatedRequest) => boolean) | undefined;
  /** Let so many matching requests pass first. @default 0 */
  readonly skip?: number | undefined;
  /** How many matching requests it hits. `Infinity`: all. @default 1 */
  readonly times?: number | undefined;
  /** Hits a matching request only with this probability, 0 to 1, by the server's `random`. @default 1 */
  readonly chance?: number | undefined;
  /** Not before this wall time of the server's clock, Unix milliseconds. */
  readonly fromMs?: number | undefined;
  /** Only before this wall time of the server's clock, Unix milliseconds. */
  readonly untilMs?: number | undefined;
}

/** A fault that was ordered. Ends by itself after `times`, or by `end()` or `using`. */
export interface FaultHandle extends Disposable {
  /** How many requests it has hit. */
  readonly hits: number;
  /** False once it can hit no more. */
  readonly active: boolean;
  /** Takes the fault away. */
  end(): void;
}

const targetKeys = ['provider', 'model', 'stream', 'where', 'skip', 'times', 'chance', 'fromMs', 'untilMs'];

/** The faults of one server, in the order in which they were ordered. */
export class FaultPlan {
  readonly #clock: Clock;
  readonly #random: Random;
  #orders: FaultOrder[] = [];

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** @throws ConfigError for a fault or a target that is wrong. */
  add(fault: Fault, target: FaultTarget): FaultHandle {
    checkFault(fault);
    checkTarget(target);
    const order = new FaultOrder(fault, target);
    this.#orders.push(order);
    return order;
  }

  /** The fault that hits this request: of several the one ordered first, so that orders in a row hit in a row. */
  take(request: SimulatedRequest): Fault | undefined {
    this.#orders = this.#orders.filter((order) => order.active);
    // Everyone looks at every request: a `skip` also counts those that another fault hits.
    const ready = this.#orders.filter((order) => order.isReady(request, this.#clock.now()));
    return ready.find((order) => order.hit(this.#random))?.fault;
  }

  clear(): void {
    for (const order of this.#orders) order.end();
    this.#orders = [];
  }
}

class FaultOrder implements FaultHandle {
  readonly fault: Fault;
  readonly #target: FaultTarget;
  #toSkip: number;
  #left: number;
  #hits = 0;

  constructor(fault: Fault, target: FaultTarget) {
    this.fault = fault;
    this.#target = target;
    this.#toSkip = target.skip ?? 0;
    this.#left = target.times ?? 1;
  }

  get hits(): number {
    return this.#hits;
  }

  get active(): boolean {
    return this.#left > 0;
  }

  end(): void {
    this.#left = 0;
  }

  [Symbol.dispose](): void {
    this.end();
  }

  isReady(request: SimulatedRequest, nowMs: number): boolean {
    if (!this.#matches(request, nowMs)) return false;
    if (this.#toSkip === 0) return true;
    this.#toSkip -= 1;
    return false;
  }

  hit(random: Random): boolean {
    const { chance = 1 } = this.#target;
    // Without a chance no number is drawn: ordering such a fault does not shift the luck of others.
    if (chance < 1 && random() >= chance) return false;
    this.#left -= 1;
    this.#hits += 1;
    return true;
  }

  #matches(request: SimulatedRequest, nowMs: number): boolean {
    const { provider, model, stream, where, fromMs, untilMs } = this.#target;
    return (
      (provider === undefined || request.provider === provider) &&
      (model === undefined || request.model === model) &&
      (stream === undefined || request.stream === stream) &&
      (fromMs === undefined || nowMs >= fromMs) &&
      (untilMs === undefined || nowMs < untilMs) &&
      (where === undefined || where(request))
    );
  }
}

function checkTarget(target: FaultTarget): void {
  rejectUnknownKeys(target, targetKeys, 'FaultTarget');
  const { provider, where, skip, times, chance, fromMs, untilMs } = target;
  if (provider !== undefined && !providerNames.includes(provider)) {
    throw new ConfigError(`provider must be one of ${providerNames.join(', ')}, got ${String(provider)}.`, {
      option: 'provider',
    });
  }
  if (where !== undefined && typeof where !== 'function') {
    throw new ConfigError('where must be a function of the request.', { option: 'where' });
  }
  if (skip !== undefined) requireNumber(skip, 'skip', { integer: true, min: 0 });
  if (times !== undefined && times !== Number.POSITIVE_INFINITY) {
    requireNumber(times, 'times', { integer: true, min: 1 });
  }
  if (chance !== undefined) requireNumber(chance, 'chance', { min: 0, max: 1 });
  if (fromMs !== undefined) requireNumber(fromMs, 'fromMs');
  if (untilMs !== undefined) requireNumber(untilMs, 'untilMs');
}
