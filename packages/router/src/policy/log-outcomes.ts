import {
  type CallOptions,
  CallTimeoutError,
  ConfigError,
  type Generation,
  type LLM,
  linkSignals,
  type Prompt,
  type Random,
  raceAbort,
  requireNumber,
  warnOfListener,
} from '@synapsekit/core';
import type { Outcome, OutcomeRow } from '../outcomes/outcome.ts';
import type { RouteBase } from '../routed.ts';
import { RoutedCall } from '../routed-call.ts';
import { BoundedMap } from './bounded-map.ts';
import { type CheckedShadow, checkLogOptions, type LogOutcomesOptions } from './log-options.ts';
import type { RouteEnd, RoutePolicy } from './route-policy.ts';
import { servingCandidate } from './serving-candidate.ts';
import { ShadowQueue } from './shadow-queue.ts';

/** An answer that somebody may yet say something about. */
interface PendingAnswer {
  readonly row: Omit<OutcomeRow, 'outcomes'>;
  readonly model: string;
  readonly outcome: Omit<Outcome, 'score'>;
}

type AnsweredEnd = RouteEnd & { readonly generation: Generation };

/** What a log has done. */
export interface OutcomeLogStatus {
  /** Rows written. */
  readonly written: number;
  /** Rows and shadow calls left out because too many were waiting. */
  readonly dropped: number;
  /** Shadow calls, scores and writes that failed. */
  readonly failed: number;
  /** Shadow calls running and waiting. */
  readonly shadows: number;
  /** Answers that feedback can still be given for. */
  readonly pending: number;
}

/** A policy that writes outcomes down. */
export interface OutcomeLog extends RoutePolicy {
  feedback(decisionId: string, score: number): boolean;
  status(): OutcomeLogStatus;
  /** Resolves when all that was begun is written: for the end of a process. */
  flush(): Promise<void>;
  /** Takes no more, and aborts the shadow calls that are running. */
  close(): void;
}

/** Rows on their way to a slow disk. */
const maxWrites = 1_000;

/**
 * Writes outcomes down, in the format that `synapsekit route eval`, `train` and `calibrate` read: a score for the answer
 * that `router.feedback(id, score)` names, and, if asked, both scores for a share of the traffic that another model
 * answers as well. So a router learns from its own traffic.
 *
 * Prompts and answers go to where you say, and nowhere else. Nothing here delays, fails or changes a call: shadow calls
 * run beside it, so many at once, and what is too much is left out. They cost money: put budgets and trackers round the
 * models, not round the router, and they are counted like any call.
 *
 * @throws ConfigError for options out of range.
 */
export function logOutcomes(options: LogOutcomesOptions): OutcomeLog {
  const { to, responses, group, names, prices, maxPending, onError, random, clock, shadow } =
    checkLogOptions(options);
  const closing = new AbortController();
  const queue = new ShadowQueue(shadow?.maxConcurrent ?? 1, shadow?.maxQueued ?? 0);
  const pending = new BoundedMap<string, PendingAnswer>(maxPending);
  const writes = new Set<Promise<void>>();
  let written = 0;
  let dropped = 0;
  let failed = 0;

  const failure = (error: unknown): void => {
    failed++;
    try {
      onError(error);
    } catch (thrown) {
      warnOfListener('onError of logOutcomes()', thrown);
    }
  };
  const nameOf = (id: string): string =>
    names !== undefined && Object.hasOwn(names, id) ? (names[id] as string) : id;
  const write = (row: OutcomeRow): void => {
    if (writes.size >= maxWrites) {
      dropped++;
      return;
    }
    const writing = (async () => to.append(row))().then(() => {
      written++;
    }, failure);
    writes.add(writing);
    void writing.finally(() => writes.delete(writing));
  };
  const outcomeOf = (generation: Generation, costUsd: number | undefined): Omit<Outcome, 'score'> => ({
    ...(costUsd !== undefined && { costUsd }),
    latencyMs: generation.latencyMs,
    ...(responses && { response: generation.text }),
  });

  /** Asks another model the same, scores both answers, and writes one row. */
  const shadowCall = async (end: AnsweredEnd, model: string, rules: CheckedShadow): Promise<void> => {
    const other = pick(rules.models ?? end.candidates.map(({ llm }) => llm), model, random);
    if (other === undefined || other.availability?.().available === false) return;
    const { prompt, options: callOptions, decision, generation } = end;
    const { signal: _, onAttempt: __, onAttemptStart: ___, ...rest } = callOptions;
    const { timeoutMs, score } = rules;
    const link = linkSignals(closing.signal);
    const stopTimer = clock.timer(timeoutMs, () => link.abort(shadowTimeout(timeoutMs)));
    try {
      const { signal } = link;
      const attributes = { ...callOptions.attributes, shadow: true };
      const call = new RoutedCall(prices, { ...rest, signal, attributes, timeoutMs });
      const answer = await raceAbort(other.generate(prompt, call.optionsFor('answer')), signal);
      call.note('answer', answer.attempts);
      const context = { prompt, options: rest, signal };
      const scores = Promise.all([score(generation, context), score(answer, context)]);
      const [own, theirs] = await raceAbort(scores, signal);
      const outcomes: Record<string, Outcome> = {};
      if (own !== undefined) {
        outcomes[nameOf(model)] = { score: scoreOf(own), ...outcomeOf(generation, servingCost(end)) };
      }
      if (theirs !== undefined) {
        outcomes[nameOf(other.id)] = {
          score: scoreOf(theirs),
          ...outcomeOf(answer, call.costs().attempts.length > 0 ? call.costs().costUsd : undefined),
        };
      }
      if (Object.keys(outcomes).length > 0) write({ ...rowOf(end, group), id: decision.id, outcomes });
    } catch (error) {
      if (!closing.signal.aborted) failure(error);
    } finally {
      stopTimer();
      link.dispose();
    }
  };

  return {
    name: 'log-outcomes',

    settle(end) {
      const { generation, decision } = end;
      // Half an answer says nothing about a model.
      if (closing.signal.aborted || generation === undefined || generation.finishReason === 'aborted') return;
      const served = servingCandidate(generation, end.candidates)?.llm.id ?? generation.servedBy;
      pending.set(decision.id, {
        row: rowOf(end, group),
        model: nameOf(served),
        outcome: outcomeOf(generation, servingCost({ ...end, generation })),
      });
      if (shadow === undefined || random() >= shadow.share) return;
      queue.add(() => shadowCall({ ...end, generation }, served, shadow));
    },

    feedback(decisionId, score) {
      const answer = pending.get(decisionId);
      if (answer === undefined || closing.signal.aborted) return false;
      const { row, model, outcome } = answer;
      write({ ...row, outcomes: { [model]: { score: scoreOf(score), ...outcome } } });
      return true;
    },

    status: () => ({
      written,
      dropped: dropped + queue.dropped,
      failed,
      shadows: queue.size,
      pending: pending.size,
    }),

    async flush() {
      await queue.whenIdle();
      await Promise.all(writes);
    },

    close() {
      queue.clear();
      closing.abort(new ConfigError('The outcome log is closed.'));
    },
  };
}

function rowOf(
  { decision, prompt, options }: RouteEnd,
  group: (prompt: Prompt, options: CallOptions) => string | undefined,
): Omit<OutcomeRow, 'outcomes'> {
  const kind = group(prompt, options);
  return { id: decision.id, ...(kind !== undefined && { group: kind }), prompt };
}

/** What the serving model's own attempt cost; other tiers and classifiers are not its doing. */
function servingCost({ generation, costUsd }: AnsweredEnd): number | undefined {
  const { route } = generation as { readonly route?: RouteBase };
  const id = generation.usage.attemptId ?? generation.attempts.at(-1)?.attemptId;
  const own = route?.costs.find(({ attempt }) => attempt.attemptId === id);
  return own === undefined ? costUsd : own.costUsd;
}

function shadowTimeout(timeoutMs: number): CallTimeoutError {
  return new CallTimeoutError(`A shadow call and its scores took longer than ${timeoutMs} ms.`, {
    phase: 'total',
    timeoutMs,
  });
}

/** Another model than the one that served. */
function pick(models: readonly LLM[], servedId: string, random: Random): LLM | undefined {
  const others = models.filter(({ id }) => id !== servedId);
  return others[Math.min(others.length - 1, Math.floor(random() * others.length))];
}

function scoreOf(score: number): number {
  return requireNumber(score, 'score', { min: 0, max: 1 });
}
