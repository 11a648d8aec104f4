import { setTimeout as sleep } from 'node:timers/promises';
import { CircuitBreakerOpen, type Generation } from '@synapsekit/core';
import { type BreakerTransition, fallbackChain } from '@synapsekit/resilience';
import { faults } from '@synapsekit/testing';
import { inShort } from './describe-error.ts';
import { Meter } from './meter.ts';
import { connectModels, tutorialModels } from './models.ts';
import { createPipeline } from './pipeline.ts';
import { endpointsOf, type SimulatedStage } from './stage.ts';
import { type Causes, Timeline } from './timeline.ts';

/** Real seconds; the tutorial waits for 60. */
const recoveryTimeout = 1.5;
const question = 'Explain the difference between TCP and UDP.';

const causes: Causes = {
  failures: `3 failures within 30 s; no call for ${recoveryTimeout} s`,
  'recovery-timeout': 'one caller may try',
  'probe-succeeded': 'the probe was answered',
};

/** What the chapter came to. */
export interface OutageFacts {
  readonly transitions: readonly { readonly from: string; readonly to: string; readonly reason: string }[];
  readonly calls: number;
  readonly answered: number;
  readonly answeredBy: Readonly<Record<string, number>>;
  readonly sentWhileOpen: number;
  readonly probes: number;
  readonly costUsd: number;
}

/** One provider goes down and comes back; callers notice nothing but who answers. */
export async function outageChapter(stage: SimulatedStage): Promise<OutageFacts> {
  const { terminal, claims, provider, signal } = stage;
  terminal.heading('2  A provider goes down');
  terminal.prose(
    `Complex queries go to gpt-4o, then to Groq. OpenAI's circuit breaker opens after 3 failures within 30 s, and lets one call try again after ${recoveryTimeout} s (in production: 60 s).`,
    'dim',
  );
  terminal.line();
  // One attempt per model, so that every failure has a line of its own.
  const { tracker, breakers, models } = createPipeline({
    models: connectModels(tutorialModels, endpointsOf(provider)),
    limits: { daily: 5 },
    maxAttempts: 1,
    recoveryTimeout,
    onWarning: () => {},
  });
  const llm = fallbackChain([models.strong, models.medium]);
  const billed = new Meter(provider);
  const timeline = new Timeline(terminal, causes);
  const transitions: BreakerTransition[] = [];
  breakers.openai.on('transition', (transition) => {
    transitions.push(transition);
    timeline.transition(transition);
  });
  const answers: Generation[] = [];
  let calls = 0;
  const call = async (): Promise<void> => {
    calls++;
    try {
      const answer = await llm.generate(question, { signal });
      answers.push(answer);
      timeline.call({ answer, sent: billed.requestsTo('openai'), state: breakers.openai.state });
    } catch (error) {
      signal.throwIfAborted();
      timeline.event(`a call was not answered: ${inShort(error)}`, 'red');
    }
  };

  await call();
  timeline.event('the simulated OpenAI goes down: status 503 for every request');
  const outage = provider.outage('openai', faults.overloaded());
  for (let failures = 0; failures < 3; failures++) await call();

  const sentBefore = billed.requestsTo('openai');
  await call();
  await call();
  const startMs = performance.now();
  const refusal: unknown = await models.strong
    .generate(question, { signal })
    .catch((error: unknown) => error);
  const tookMs = performance.now() - startMs;
  const refused = refusal instanceof CircuitBreakerOpen;
  timeline.event(
    `gpt-4o alone, without a fallback: ${refused ? 'CircuitBreakerOpen' : 'answered'} after ${tookMs.toFixed(1)} ms`,
  );
  outage.end();
  timeline.event('OpenAI is well again; the circuit stays open until its time is over');
  await call();
  const sentWhileOpen = billed.requestsTo('openai') - sentBefore;

  await sleep((breakers.openai.retryAfterMs ?? 0) + 5, undefined, { signal });
  timeline.event('the recovery time is over; five calls at once:');
  await Promise.all(Array.from({ length: 5 }, call));
  const probes = billed.requestsTo('openai') - sentBefore - sentWhileOpen;
  await call();
  await provider.idle();
  terminal.line();

  const path = [transitions[0]?.from, ...transitions.map(({ to }) => to)].join(' → ');
  const last = answers.at(-1)?.servedBy;
  claims.check(
    'every call was answered, during the outage too',
    answers.length === calls,
    `${answers.length} of ${calls}`,
  );
  claims.check('the breaker went its way', path === 'CLOSED → OPEN → HALF_OPEN → CLOSED', path);
  claims.check(
    'while it was open calls were refused at once, and nothing was sent to OpenAI',
    refused && sentWhileOpen === 0,
  );
  claims.check('of five calls at once exactly one was the probe', probes === 1, `${probes} sent to OpenAI`);
  claims.check('afterwards gpt-4o answers again', last === models.strong.id);
  claims.checkEqual('failed requests cost nothing: tracker = bill', {
    tracker: tracker.totalUsdExact,
    bill: billed.billedUsd,
  });
  return {
    transitions: transitions.map(({ from, to, reason }) => ({ from, to, reason })),
    calls,
    answered: answers.length,
    answeredBy: countBy(answers, ({ servedBy }) => servedBy),
    sentWhileOpen,
    probes,
    costUsd: tracker.totalUsd,
  };
}

function countBy<T>(items: readonly T[], key: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[key(item)] = (counts[key(item)] ?? 0) + 1;
  return counts;
}
