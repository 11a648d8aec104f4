/**
 * What happens, for whoever listens: `node:diagnostics_channel` channels with stable names. Messages are frozen,
 * versioned and JSON-safe, carry no prompt, answer or secret, and cost nothing while nobody subscribes. They are
 * published in the async context of the call that they are about, across duplicate installs.
 */
import { channel, tracingChannel } from 'node:diagnostics_channel';
import type { Attempt, AttemptIdentity } from './attempt.ts';
import { isSynapseError } from './errors.ts';
import type { CostRecord } from './price.ts';

/**
 * Names of all channels. `llm` is a tracing channel: subscribe with `tracingChannel(channelNames.llm)`. `attempt` is for
 * `bindStore`: a store that is bound there holds the attempt in whose async context code runs.
 */
export const channelNames = {
  cost: 'synapsekit:cost',
  budget: 'synapsekit:budget',
  breaker: 'synapsekit:breaker',
  route: 'synapsekit:route',
  llm: 'synapsekit:llm',
  attempt: 'synapsekit:attempt',
} as const;

/**
 * What a budget did. Amounts are exact decimal strings of dollars.
 *
 * - `hold`, `booking`, `close`: a hold was placed or raised, an attempt was booked, a hold ended.
 * - `refusal`: a call was not let through. `overrun`: it was, although it did not fit (`onExceeded: "warn"`).
 * - `threshold`: a share of a limit was reached. `cut`: a stream was ended at what was held for it.
 * - `fail-open`: the ledger could not be asked, and the call was let through all the same.
 */
export interface BudgetMessage {
  readonly version: 1;
  readonly type: 'hold' | 'refusal' | 'booking' | 'close' | 'overrun' | 'threshold' | 'cut' | 'fail-open';
  readonly guard: string;
  readonly holdId?: string | undefined;
  readonly attemptId?: string | undefined;
  /** The limit, for refusals, overruns and thresholds. */
  readonly limit?: string | undefined;
  /** The attribute that it is a limit of. Its value is not told: it may name a person. */
  readonly attribute?: string | undefined;
  readonly amountUsd?: string | undefined;
  /** Tokens, where limits of tokens are involved. */
  readonly tokens?: number | undefined;
  /** The share that was reached: 0.8. */
  readonly threshold?: number | undefined;
}

/** A circuit breaker changed its state. */
export interface BreakerMessage {
  readonly version: 1;
  readonly breaker: string;
  readonly from: string;
  readonly to: string;
  /**
   * Why, in a word: `"failures"`, `"verdict"`, `"recovery-timeout"`, `"probe-succeeded"`, `"probe-failed"`,
   * `"manual"`, `"restored"`.
   */
  readonly reason: string;
}

/** One model in a router's decision: its figures, and who moved or removed it for which reason. */
export interface RouteMessageCandidate {
  /** `LLM.id`. */
  readonly id: string;
  /** Its place in the plan, from 1; absent when it is not in it. */
  readonly place?: number | undefined;
  /** Predicted quality, 0 to 1, where the router predicts it. */
  readonly quality?: number | undefined;
  /** Expected cost in dollars, charges included, where it is known. */
  readonly costUsd?: number | undefined;
  readonly notes: readonly {
    /** Name of the policy. */
    readonly policy: string;
    /** `"excluded"`, `"deferred"`, `"preferred"`, `"charged"`. */
    readonly action: string;
    readonly reason: string;
    /** Dollars of a charge. */
    readonly costUsd?: number | undefined;
  }[];
}

/** A router decided, or a call that it decided about has ended. */
export interface RouteMessage {
  readonly version: 1;
  readonly type: 'decision' | 'end';
  /** `LLM.id` of the router. */
  readonly router: string;
  readonly decisionId: string;
  /** Ids of the models in the order in which they are to be asked. */
  readonly planned: readonly string[];
  /** Each model, those of the plan first. Of a decision. */
  readonly candidates?: readonly RouteMessageCandidate[] | undefined;
  /** `LLM.id` of the model that served. Of an end. */
  readonly servedBy?: string | undefined;
  /** What the call cost in all, in dollars, where the router was given prices. Of an end. */
  readonly costUsd?: number | undefined;
  /** Code of the error, if the call failed: never the error itself. Of an end. */
  readonly errorCode?: string | undefined;
}

/** One physical attempt, in the tracing channel; `attempt` is there from `asyncEnd` (the last chunk) on. */
export interface LLMMessage {
  readonly version: 1;
  readonly attemptId: string;
  readonly provider: string;
  readonly model: string;
  readonly id: string;
  readonly stream: boolean;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  attempt?: Attempt;
  /** Code of the error, if the attempt failed: never the error itself. */
  errorCode?: string;
}

/** A channel of one kind of message. */
export interface MessageChannel<T extends object> {
  readonly hasSubscribers: boolean;
  /** Builds and publishes a message, if anybody listens. */
  publish(message: () => T): void;
}

function messageChannel<T extends object>(name: string): MessageChannel<T> {
  const target = channel(name);
  return {
    get hasSubscribers(): boolean {
      return target.hasSubscribers;
    },
    publish(message) {
      if (target.hasSubscribers) target.publish(Object.freeze(message()));
    },
  };
}

/** `synapsekit:cost`: every record of every tracker. */
export const costChannel: MessageChannel<CostRecord> = messageChannel(channelNames.cost);
/** `synapsekit:budget`: holds, bookings, refusals. */
export const budgetChannel: MessageChannel<BudgetMessage> = messageChannel(channelNames.budget);
/** `synapsekit:breaker`: transitions. */
export const breakerChannel: MessageChannel<BreakerMessage> = messageChannel(channelNames.breaker);
/** `synapsekit:route`: what routers decide and why, and how it ended. */
export const routeChannel: MessageChannel<RouteMessage> = messageChannel(channelNames.route);

/** An attempt that is being traced. */
export interface LLMTrace {
  end(attempt: Attempt, error: unknown): void;
}

/**
 * `synapsekit:attempt`: published around whatever works on an attempt: what sends it, and, for a model of `defineLLM`, each
 * step of its stream. The message of one attempt is the same object each time.
 */
export const attemptChannel: {
  /** Runs `fn` in the stores that are bound to the channel. Only calls it while there are none. */
  run<T>(identity: () => AttemptIdentity, fn: () => T): T;
} = {
  run(identity, fn) {
    return attemptScope.hasSubscribers ? attemptScope.runStores(identity(), fn) : fn();
  },
};

const attemptScope = channel(channelNames.attempt);
const llmTracing = tracingChannel<unknown, LLMMessage>(channelNames.llm);
const noTrace: LLMTrace = { end() {} };

/** `synapsekit:llm`: every physical attempt, from sending to the last chunk. */
export const llmChannel: { begin(message: LLMMessage): LLMTrace } = {
  begin(message) {
    if (!llmTracing.hasSubscribers) return noTrace;
    const context = { ...message };
    llmTracing.start.publish(context);
    llmTracing.end.publish(context);
    return {
      end(attempt, error) {
        context.attempt = attempt;
        if (error !== undefined) {
          context.errorCode = isSynapseError(error) ? error.code : 'error';
          llmTracing.error.publish(context);
        }
        llmTracing.asyncStart.publish(context);
        llmTracing.asyncEnd.publish(context);
      },
    };
  },
};
