import { callListener, warnOfListener } from '@synapsekit/core';

/** The state of a circuit. CLOSED lets calls pass, OPEN refuses them, HALF_OPEN lets a probe through. */
export type CircuitState = 'CLOSED' | 'OPEN' | 'HALF_OPEN';

/** Why a circuit changed. */
export type TransitionReason =
  /** The rule was met. */
  | 'failures'
  /** A verdict said so (`{ openMs }`): quota or credit ran out. */
  | 'verdict'
  /** The time in OPEN was over, and a caller came. */
  | 'recovery-timeout'
  | 'probe-succeeded'
  | 'probe-failed'
  /** `open`, `close`, `reset`, `isolate`, or the end of an isolation. */
  | 'manual'
  /** `restore`. */
  | 'restored';

/** A circuit changed. `ISOLATED`: shut by hand, whatever its state. */
export interface BreakerTransition {
  readonly breaker: string;
  readonly from: CircuitState | 'ISOLATED';
  readonly to: CircuitState | 'ISOLATED';
  readonly reason: TransitionReason;
  /** When `to` is OPEN: milliseconds until a probe may go out. */
  readonly openMs?: number | undefined;
  /** The failure that opened it. */
  readonly cause?: unknown;
}

/** A call was refused; nothing was sent. */
export interface BreakerRefusal {
  readonly breaker: string;
  readonly state: 'OPEN' | 'HALF_OPEN' | 'ISOLATED';
  readonly retryAfterMs: number | undefined;
}

/** A failure that only a person can repair: a key that is refused (401, 403), a quota or credit that ran out. */
export interface BreakerFatal {
  readonly breaker: string;
  readonly error: unknown;
}

/** Code of yours that the breaker calls failed, or a snapshot was refused. Calls are not affected. */
export interface BreakerFault {
  readonly breaker: string;
  readonly source: 'classify' | 'validate' | 'listener' | 'restore';
  readonly error: unknown;
}

/** Events of a breaker by name. */
export interface BreakerEvents {
  transition: BreakerTransition;
  refusal: BreakerRefusal;
  fatal: BreakerFatal;
  fault: BreakerFault;
}

interface Entry {
  readonly type: keyof BreakerEvents;
  readonly listener: (event: never) => unknown;
}

const none: readonly Entry[] = [];

/** Listeners by event. Costs nothing without any, and nothing that they do reaches a call. */
export class BreakerListeners {
  readonly #breaker: string;
  /** Replaced, never changed: who is told of an event is settled when it happens. */
  #entries: readonly Entry[] = none;
  #warned = false;

  constructor(breaker: string) {
    this.#breaker = breaker;
  }

  on<K extends keyof BreakerEvents>(type: K, listener: (event: BreakerEvents[K]) => unknown): () => void {
    const entry = { type, listener };
    this.#entries = [...this.#entries, entry];
    return () => {
      this.#entries = this.#entries.filter((other) => other !== entry);
    };
  }

  /** Builds and tells an event, if anybody listens. True if somebody did. */
  emit<K extends keyof BreakerEvents>(type: K, event: () => BreakerEvents[K]): boolean {
    let told: BreakerEvents[K] | undefined;
    for (const entry of this.#entries) {
      if (entry.type !== type) continue;
      told ??= event();
      callListener(entry.listener as (event: BreakerEvents[K]) => unknown, told, (error) => {
        if (type === 'fault') this.#warn(error);
        else this.fault('listener', error);
      });
    }
    return told !== undefined;
  }

  /** Reports a fault to its listeners, or, without any, once as a warning of the process. */
  fault(source: BreakerFault['source'], error: unknown): void {
    const told = this.emit('fault', () => ({ breaker: this.#breaker, source, error }));
    if (!told) this.#warn(error, source);
  }

  #warn(error: unknown, source: BreakerFault['source'] = 'listener'): void {
    if (this.#warned) return;
    this.#warned = true;
    warnOfListener(`The ${source} function of circuit breaker "${this.#breaker}"`, error);
  }
}
