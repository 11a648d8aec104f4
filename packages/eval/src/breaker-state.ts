import { ConfigError } from '@synapsekit/core';
import type { CaseRun, Metric, MetricVerdict } from './metric.ts';
import { type MetricOptions, oneOf, readMetricOptions, requireText } from './metric-options.ts';

/** The states of a circuit breaker. */
export type BreakerStateName = 'CLOSED' | 'OPEN' | 'HALF_OPEN' | 'ISOLATED';

/** Options of `BreakerState`. */
export interface BreakerStateOptions<Name extends string = string> extends MetricOptions<Name> {
  /**
   * The breaker, or its name. By its name it is known only once it has changed its state in this run: a breaker that
   * never did is hidden, and so is a name that no breaker has. Then hand over the breaker itself.
   */
  readonly breaker: string | { readonly name: string; readonly state: string };
  /** The state that it must be in when the case has ended. Upper and lower case are the same. */
  readonly state: BreakerStateName | Lowercase<BreakerStateName>;
}

/** Passes when a circuit breaker is in a state after the case. */
export class BreakerState<const Name extends string = never> implements Metric<Name> {
  readonly name: string = 'BreakerState';
  readonly applyTo: readonly Name[] | undefined;
  readonly #breaker: string | { readonly name: string; readonly state: string };
  readonly #state: string;

  /** @throws ConfigError for an unknown state, no breaker, an unknown option, or an empty `applyTo`. */
  constructor(options: BreakerStateOptions<Name>) {
    this.applyTo = readMetricOptions(this.name, options, ['breaker', 'state']);
    const { breaker, state } = options;
    if (typeof breaker === 'object' && breaker !== null) {
      if (typeof breaker.state !== 'string') {
        throw new ConfigError('breaker of BreakerState must be a circuit breaker or the name of one.', {
          option: 'breaker',
        });
      }
      this.#breaker = breaker;
    } else {
      this.#breaker = requireText(breaker, 'breaker', this.name);
    }
    this.#state = oneOf(
      normal(String(state)),
      ['CLOSED', 'OPEN', 'HALF_OPEN', 'ISOLATED'],
      'state',
      this.name,
    );
  }

  evaluate({ breakers, breakerEvents }: CaseRun): MetricVerdict {
    const [name, actual] =
      typeof this.#breaker === 'string'
        ? [this.#breaker, breakers.get(this.#breaker)]
        : [this.#breaker.name, this.#breaker.state];
    if (actual === undefined) {
      const known = [...breakers.keys()];
      const others = known.length > 0 ? ` (heard of: ${known.join(', ')})` : '';
      return {
        pass: false,
        detail: `state unknown: no breaker "${name}" changed its state in this run${others}; hand over the breaker itself`,
      };
    }
    const path = breakerEvents
      .filter(({ breaker }) => breaker === name)
      .map(({ from, to }) => `${from} → ${to}`);
    const history = path.length > 0 ? `, ${path.join(', ')}` : '';
    const pass = normal(actual) === this.#state;
    return { pass, detail: `${name} is ${actual}${pass ? '' : `, not ${this.#state}`}${history}` };
  }
}

function normal(state: string): BreakerStateName {
  return state.toUpperCase().replaceAll('-', '_') as BreakerStateName;
}
