import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CallOptions, defineLLM, type LLM, type PriceLookup } from '@synapsekit/core';
import { ManualClock, seededRandom } from '@synapsekit/testing';
import { describe, expect, test, vi } from 'vitest';
import { CascadeRouter } from '../cascade/cascade-router.ts';
import { LengthClassifier } from '../length-classifier.ts';
import type { OutcomeRow } from '../outcomes/outcome.ts';
import { OutcomeFile } from '../outcomes/outcome-file.ts';
import { readOutcomes } from '../outcomes/read-outcomes.ts';
import { Router } from '../router.ts';
import { passes } from '../verify/passes.ts';
import type { LogOutcomesOptions, ShadowOptions } from './log-options.ts';
import { logOutcomes } from './log-outcomes.ts';

const usage = { inputTokens: 10, outputTokens: 5 };
const model = (name: string, generate: (options: CallOptions) => unknown = () => {}): LLM =>
  defineLLM({
    provider: 'test',
    model: name,
    generate: async (_, options) => {
      await generate(options);
      return { text: `${name} says`, usage };
    },
  });
const prices: PriceLookup = {
  find: ({ model: id }) => {
    const cost = (): bigint => (id === 'cheap' ? 1_000_000n : 20_000_000n);
    return { provider: 'test', model: id, source: 'test', costPico: cost, maxCostPico: cost };
  },
};

const worldOf = (
  options: Partial<LogOutcomesOptions> = {},
  shadow?: Partial<ShadowOptions>,
  strong: LLM = model('strong'),
) => {
  const rows: OutcomeRow[] = [];
  const log = logOutcomes({
    to: { append: async (row) => void rows.push(row) },
    prices,
    ...(shadow !== undefined && {
      shadow: { share: 1, score: ({ text }) => (text.startsWith('strong') ? 1 : 0), ...shadow },
    }),
    ...options,
  });
  const router = new CascadeRouter({
    tiers: [model('cheap'), strong],
    verify: [passes(() => true)],
    policies: [log],
    prices,
  });
  return { rows, log, router };
};

describe('feedback', () => {
  test('becomes a row with the prompt, the answer, its cost and its score', async () => {
    const { rows, log, router } = worldOf();
    const { route } = await router.generate('What?', { attributes: { feature: 'faq' } });
    expect(rows).toEqual([]);
    expect(router.feedback(route.decision.id, 0.5)).toBe(true);
    await log.flush();
    expect(rows).toEqual([
      {
        id: route.decision.id,
        group: 'faq',
        prompt: 'What?',
        outcomes: {
          'test/cheap': { score: 0.5, costUsd: 1e-6, latencyMs: expect.any(Number), response: 'cheap says' },
        },
      },
    ]);
    expect(log.status()).toEqual({ written: 1, dropped: 0, failed: 0, shadows: 0, pending: 1 });
  });

  test('comes for streams, under names of yours, and without answers if you like', async () => {
    const { rows, log, router } = worldOf({ names: { 'test/cheap': 'small' }, responses: false });
    const { route } = await router.stream('What?').result;
    router.feedback(route.decision.id, 1);
    await log.flush();
    expect(rows[0]?.outcomes).toEqual({ small: { score: 1, costUsd: 1e-6, latencyMs: expect.any(Number) } });
  });

  test('is refused for what is not known, is no score, or was not heard to the end', async () => {
    const { log, router } = worldOf({ maxPending: 10 });
    expect(router.feedback('nobody', 1)).toBe(false);
    expect(() => router.feedback('nobody', 1.5)).toThrow(/score/);
    const first = await router.generate('q');
    const pieces = defineLLM({
      provider: 'test',
      model: 'pieces',
      generate: () => 'one two',
      stream: async function* () {
        yield 'one ';
        yield 'two';
      },
    });
    const live = new Router({
      classifier: new LengthClassifier(),
      routes: { simple: pieces, medium: pieces, complex: pieces },
      policies: [log],
    });
    const stream = live.stream('q');
    for await (const _ of stream) break;
    const cut = await stream.result;
    expect(live.feedback(cut.route.decision.id, 1)).toBe(false);
    expect(router.feedback(first.route.decision.id, 1)).toBe(true);
    for (let i = 0; i < 50; i++) await router.generate('q');
    expect(router.feedback(first.route.decision.id, 1)).toBe(false);
    expect(log.status().pending).toBe(10);
  });

  test('a disk that hangs holds up nobody, and not all of memory', async () => {
    const { log, router } = worldOf({ to: { append: () => new Promise(() => {}) } });
    const { route } = await router.generate('q');
    for (let i = 0; i < 1_100; i++) expect(router.feedback(route.decision.id, 1)).toBe(true);
    expect(log.status()).toMatchObject({ written: 0, dropped: 100 });
  });

  test('an onError that throws is a warning', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const { log, router } = worldOf({
      to: { append: () => Promise.reject(new Error('disk full')) },
      onError: () => {
        throw new Error('logger');
      },
    });
    const { route } = await router.generate('q');
    router.feedback(route.decision.id, 1);
    await log.flush();
    expect(warn).toHaveBeenCalledTimes(1);
  });

  test('what cannot be written is told, not thrown', async () => {
    const errors: unknown[] = [];
    const { log, router } = worldOf({
      to: { append: () => Promise.reject(new Error('disk full')) },
      onError: (error) => void errors.push(error),
    });
    const { route } = await router.generate('q');
    expect(router.feedback(route.decision.id, 1)).toBe(true);
    await log.flush();
    expect(errors).toMatchObject([{ message: 'disk full' }]);
    expect(log.status()).toMatchObject({ written: 0, failed: 1 });
  });
});

describe('shadow samples', () => {
  test('are off by default', async () => {
    const asked = vi.fn();
    const { log, router } = worldOf({}, undefined, model('strong', asked));
    for (let i = 0; i < 20; i++) await router.generate('q');
    await log.flush();
    expect(asked).not.toHaveBeenCalled();
  });

  test('ask the other model as well, score both, and write one row', async () => {
    const { rows, log, router } = worldOf({}, {});
    const { route, text } = await router.generate('What?');
    expect(text).toBe('cheap says');
    await log.flush();
    expect(rows).toEqual([
      {
        id: route.decision.id,
        prompt: 'What?',
        outcomes: {
          'test/cheap': { score: 0, costUsd: 1e-6, latencyMs: expect.any(Number), response: 'cheap says' },
          'test/strong': { score: 1, costUsd: 2e-5, latencyMs: expect.any(Number), response: 'strong says' },
        },
      },
    ]);
  });

  test('take their share', async () => {
    const { rows, log, router } = worldOf({ random: seededRandom(1) }, { share: 0.1, maxQueued: 1_000 });
    for (let i = 0; i < 1_000; i++) await router.generate('q');
    await log.flush();
    expect(rows.length).toBeGreaterThan(70);
    expect(rows.length).toBeLessThan(130);
  });

  test('never hold up, fail or change the call, whatever they do', async () => {
    const onError = vi.fn();
    const attempts: string[] = [];
    const controller = new AbortController();
    const hang = new Promise(() => {});
    const { log, router } = worldOf(
      { onError },
      { maxConcurrent: 1, maxQueued: 2 },
      model('strong', () => hang),
    );
    for (let i = 0; i < 10; i++) {
      const { text } = await router.generate('q', {
        onAttempt: ({ id }) => attempts.push(id),
        signal: controller.signal,
      });
      expect(text).toBe('cheap says');
    }
    // One runs, two wait, seven found no room; none of them is an attempt of the caller's.
    expect(log.status()).toMatchObject({ shadows: 3, dropped: 7 });
    expect(attempts).toEqual(Array.from({ length: 10 }, () => 'test/cheap'));
    controller.abort();
    log.close();
    await log.flush();
    expect(log.status()).toMatchObject({ shadows: 0, failed: 0 });
    await router.generate('q');
    expect(log.status().shadows).toBe(0);
    expect(onError).not.toHaveBeenCalled();
  });

  test('end in time, though the model, or the judge, never does', async () => {
    const clock = new ManualClock();
    const errors: unknown[] = [];
    const onError = (error: unknown): void => void errors.push(error);
    const hang = new Promise<never>(() => {});
    for (const { log, router } of [
      worldOf(
        { clock, onError },
        { timeoutMs: 1_000 },
        model('strong', () => hang),
      ),
      worldOf({ clock, onError }, { timeoutMs: 1_000, score: () => hang }),
    ]) {
      await router.generate('q');
      await clock.advance(1_001);
      await log.flush();
    }
    expect(errors).toMatchObject([
      { code: 'timeout', timeoutMs: 1_000 },
      { code: 'timeout', timeoutMs: 1_000 },
    ]);
  });

  test.each<[string, Partial<ShadowOptions>]>([
    [
      'throws',
      {
        score: () => {
          throw new Error('judge');
        },
      },
    ],
    ['is no number', { score: () => Number.NaN }],
    ['is too large', { score: () => 5 }],
  ])('a score that %s is told, and no row', async (_, shadow) => {
    const onError = vi.fn();
    const { rows, log, router } = worldOf({ onError }, shadow);
    await router.generate('q');
    await log.flush();
    expect(onError).toHaveBeenCalledTimes(1);
    expect(rows).toEqual([]);
  });

  test('run outside the call: its scopes are not theirs', async () => {
    const scope = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const { log, router } = worldOf(
      {},
      {},
      model('strong', () => seen.push(scope.getStore())),
    );
    await scope.run('the call', () => router.generate('q'));
    await log.flush();
    expect(seen).toEqual([undefined]);
  });

  test('a warning without any text where nobody listens', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const { log, router } = worldOf({}, { score: () => Promise.reject(new Error('What? the secret')) });
    await router.generate('What? the secret');
    await log.flush();
    expect(warn).toHaveBeenCalledTimes(1);
    expect(String(warn.mock.calls[0]?.[0])).not.toContain('secret');
  });
});

test('1,000 calls at once with shadows and feedback: every row whole, nothing lost, nothing twice', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'outcomes-'));
  try {
    const path = join(folder, 'outcomes.jsonl');
    let running = 0;
    let most = 0;
    const strong = model('strong', async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
    });
    const log = logOutcomes({
      to: new OutcomeFile(path),
      shadow: {
        share: 0.3,
        score: ({ text }) => (text.startsWith('strong') ? 1 : 0),
        maxConcurrent: 4,
        maxQueued: 1_000,
      },
      random: seededRandom(2),
    });
    const router = new CascadeRouter({
      tiers: [model('cheap'), strong],
      verify: [passes(() => true)],
      policies: [log],
    });
    const answers = await Promise.all(Array.from({ length: 1_000 }, (_, i) => router.generate(`query ${i}`)));
    for (const { route } of answers.slice(0, 500))
      expect(router.feedback(route.decision.id, 0.25)).toBe(true);
    await log.flush();
    const rows = new Map((await readOutcomes(path)).map((row) => [row.id, row]));
    for (const [i, { route }] of answers.entries()) {
      const row = rows.get(route.decision.id);
      if (i < 500) expect(row?.outcomes['test/cheap']).toBeDefined();
      if (row !== undefined) expect(row.prompt).toBe(`query ${i}`);
    }
    const both = [...rows.values()].filter(({ outcomes }) => 'test/strong' in outcomes);
    expect(both.length).toBeGreaterThan(230);
    expect(both.length).toBeLessThan(370);
    expect(most).toBe(4);
    expect(log.status()).toMatchObject({ dropped: 0, failed: 0, shadows: 0, pending: 1_000 });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('refuses what cannot be meant', () => {
  const to = { append: async () => {} };
  const score = (): number => 1;
  for (const options of [
    {},
    { to: 'outcomes.jsonl' },
    { to, maxPending: 0 },
    { to, responses: 'no' },
    { to, share: 0.1 },
    { to, shadow: { share: 2, score } },
    { to, shadow: { share: 0.1 } },
    { to, shadow: { share: 0.1, score, maxConcurrent: 0 } },
    { to, shadow: { share: 0.1, score, models: [] } },
    { to, shadow: { share: 0.1, score, timeoutMs: 0 } },
  ]) {
    expect(() => logOutcomes(options as never)).toThrow();
  }
});
