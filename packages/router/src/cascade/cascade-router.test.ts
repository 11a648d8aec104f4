import {
  type Attempt,
  CircuitBreakerOpen,
  defineLLM,
  type Generation,
  type LLM,
  ProviderError,
} from '@synapsekit/core';
import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  cascadeOf,
  doubt,
  failing,
  gainOf,
  model,
  outage,
  refusal,
  shrug,
} from '../../test/cascade-world.ts';
import { agreesWith } from '../verify/agrees-with.ts';
import { finished } from '../verify/finished.ts';
import { meanLogprob } from '../verify/mean-logprob.ts';
import { passes } from '../verify/passes.ts';
import type { Verifier } from '../verify/verifier.ts';
import { type CascadeGeneration, CascadeRouter } from './cascade-router.ts';

describe('CascadeRouter', () => {
  test('hands out the cheap answer that passes', async () => {
    const { text, route } = await cascadeOf().generate('q');
    expect(text).toBe('cheap');
    expect(route).toMatchObject({
      outcome: 'accepted',
      tier: 0,
      servedBy: 'test/cheap',
      planned: ['test/cheap', 'test/strong'],
      tries: [{ tier: 0, servedBy: 'test/cheap', verdicts: [{ pass: true }] }],
    });
    expect(route.costUsd).toBe(15e-12);
    expectTypeOf(route.outcome).toEqualTypeOf<CascadeGeneration['route']['outcome']>();
  });

  test('escalates from one that does not, and books both', async () => {
    const attempts: Attempt[] = [];
    const generation = await cascadeOf({ tiers: [model('cheap', 'bad'), model('strong')] }).generate('q', {
      onAttempt: (attempt) => attempts.push(attempt),
    });
    expect(generation.text).toBe('strong');
    expect(generation.route).toMatchObject({ outcome: 'escalated', tier: 1, costUsd: 30e-12 });
    expect(generation.route.costs.map(({ step }) => step)).toEqual(['answer', 'escalate']);
    expect(attempts.map(({ id }) => id)).toEqual(['test/cheap', 'test/strong']);
    expect(generation.attempts.map(({ id }) => id)).toEqual(['test/cheap', 'test/strong']);
  });

  test('climbs as many tiers as there are', async () => {
    const tiers = [model('a', 'bad'), model('b', 'bad'), model('c')];
    const { text, route } = await cascadeOf({ tiers }).generate('q');
    expect(text).toBe('c');
    expect(route.tries.map(({ tier }) => tier)).toEqual([0, 1, 2]);
    expect(route.costUsd).toBe(45e-12);
  });

  test('books what a verifier asks, and puts the serving attempt last', async () => {
    const attempts: string[] = [];
    const router = cascadeOf({ verify: [agreesWith(model('other', 'cheap'))] });
    const generation = await router.generate('q', { onAttempt: ({ id }) => attempts.push(id) });
    expect(generation.route).toMatchObject({ outcome: 'accepted', costUsd: 30e-12 });
    expect(generation.route.costs.map(({ step }) => step)).toEqual(['answer', 'verify']);
    expect(attempts).toEqual(['test/cheap', 'test/other']);
    expect(generation.attempts.map(({ id }) => id)).toEqual(['test/other', 'test/cheap']);
    expect(router.candidates().map(({ id }) => id)).toEqual(['test/cheap', 'test/strong', 'test/other']);
  });

  test('stops at the first verifier that fails the answer', async () => {
    const { route } = await cascadeOf({
      tiers: [model('cheap', 'bad'), model('strong')],
      verify: [finished(), passes(({ text }) => text !== 'bad'), agreesWith(failing('never asked', outage))],
    }).generate('q');
    expect(route.tries[0]?.verdicts.map(({ pass }) => pass)).toEqual([true, false]);
  });

  test('an answer of which nobody can say anything is not taken for a good one', async () => {
    const { route } = await cascadeOf({ verify: [shrug] }).generate('q');
    expect(route.outcome).toBe('escalated');
  });

  test('a verifier that throws cannot tell; the others decide', async () => {
    const broken: Verifier = {
      name: 'broken',
      verify: () => {
        throw new Error('bug');
      },
    };
    const { route } = await cascadeOf({ verify: [broken, finished()] }).generate('q');
    expect(route.outcome).toBe('accepted');
    expect(route.tries[0]?.verdicts[0]).toMatchObject({ verifier: 'broken', pass: undefined });
  });

  test('asks for log-probabilities only where they are needed and can be had', async () => {
    const asked: unknown[] = [];
    const spy = (logprobs: boolean): LLM =>
      defineLLM({
        provider: 'test',
        model: 'spy',
        capabilities: { logprobs },
        generate: (_, options) => {
          asked.push(options.logprobs);
          return 'x';
        },
      });
    await cascadeOf({ tiers: [spy(true), spy(true)], verify: [meanLogprob({ min: -1 })] }).generate('q');
    await cascadeOf({ tiers: [spy(false), spy(false)], verify: [meanLogprob({ min: -1 })] }).generate('q');
    await cascadeOf({ tiers: [spy(true), spy(true)] }).generate('q');
    expect(asked).toEqual([true, undefined, undefined, undefined, undefined]);
  });
});

describe('a gain model', () => {
  test('vetoes an escalation in doubt that gains nothing', async () => {
    const { text, route } = await cascadeOf({ verify: [doubt], gain: gainOf(0.01) }).generate('q');
    expect(text).toBe('cheap');
    expect(route).toMatchObject({ outcome: 'vetoed', predictedGain: 0.01 });
  });

  test('lets one go that pays, and has no say over a broken answer', async () => {
    expect((await cascadeOf({ verify: [doubt], gain: gainOf(0.3) }).generate('q')).route.outcome).toBe(
      'escalated',
    );
    const broken = cascadeOf({ tiers: [model('cheap', 'bad'), model('strong')], gain: gainOf(0) });
    expect((await broken.generate('q')).route.outcome).toBe('escalated');
  });

  test('is not asked where a verifier has seen the answer and knows the gain', async () => {
    const knows: Verifier = { ...doubt, verify: () => ({ pass: false, reason: 'no', gain: 0.4 }) };
    expect((await cascadeOf({ verify: [knows], gain: gainOf(0) }).generate('q')).route.outcome).toBe(
      'escalated',
    );
  });

  test('goes straight to the strong model where the cheap one is hopeless', async () => {
    const gain = { ...gainOf(0.8), directFrom: 0.7 };
    const { route } = await cascadeOf({ gain }).generate('q');
    expect(route).toMatchObject({ outcome: 'direct', servedBy: 'test/strong', costUsd: 15e-12 });
    // And down again when it cannot answer.
    const down = await cascadeOf({ tiers: [model('cheap'), failing('strong', outage)], gain }).generate('q');
    expect(down.route).toMatchObject({ outcome: 'unreachable', servedBy: 'test/cheap', escalationError: {} });
  });
});

describe('when models fail', () => {
  test('a cheap tier that is down is passed over; its own failover comes first', async () => {
    const tiers = [[failing('a', outage), failing('b', outage)], model('strong')];
    const { route, failures } = await cascadeOf({ tiers }).generate('q');
    expect(route.outcome).toBe('escalated');
    expect(failures.map(({ id }) => id)).toEqual(['test/a', 'test/b']);
    const [first] = [
      await cascadeOf({ tiers: [[failing('a', outage), model('b')], model('strong')] }).generate('q'),
    ];
    expect(first?.route).toMatchObject({ outcome: 'accepted', servedBy: 'test/b' });
  });

  test('an open circuit is no call', async () => {
    const open: LLM = {
      ...model('cheap'),
      generate: () => Promise.reject(new Error('must not be asked')),
      availability: () => ({
        available: false,
        error: new CircuitBreakerOpen('open', { breaker: 'b', state: 'OPEN' }),
      }),
    };
    const { route } = await cascadeOf({ tiers: [open, model('strong')] }).generate('q');
    expect(route.failures).toMatchObject([{ outcome: 'skipped' }]);
  });

  test.each([outage, refusal])('a doubtful answer is better than none: $code', async (error) => {
    const options = { tiers: [model('cheap'), failing('strong', error)], verify: [doubt] };
    const { text, route } = await cascadeOf(options).generate('q');
    expect(text).toBe('cheap');
    expect(route).toMatchObject({ outcome: 'unreachable', tier: 0 });
    expect(route.escalationError).toBeDefined();
    await expect(cascadeOf({ ...options, whenUnreachable: 'throw' }).generate('q')).rejects.toBeDefined();
  });

  test('a broken answer is not', async () => {
    const tiers = [model('cheap', 'bad'), failing('strong', outage)];
    await expect(cascadeOf({ tiers }).generate('q')).rejects.toMatchObject({ code: 'all-providers-failed' });
    await expect(
      cascadeOf({ tiers: [model('cheap', 'bad'), failing('strong', refusal)] }).generate('q'),
    ).rejects.toBe(refusal);
  });

  test('everybody down is one error that names all', async () => {
    const tiers = [failing('cheap', outage), failing('strong', outage)];
    await expect(cascadeOf({ tiers }).generate('q')).rejects.toMatchObject({
      code: 'all-providers-failed',
      errors: [{ id: 'test/cheap' }, { id: 'test/strong' }],
    });
  });

  test('a bad request goes nowhere', async () => {
    const bad = new ProviderError('bad', { kind: 'bad-request', provider: 'test', model: 'm' });
    await expect(cascadeOf({ tiers: [failing('cheap', bad), model('strong')] }).generate('q')).rejects.toBe(
      bad,
    );
  });

  test('an abort ends it at once, whoever is at work', async () => {
    const never = defineLLM({ provider: 'test', model: 'never', generate: () => new Promise(() => {}) });
    const slow: Verifier = { name: 'slow', verify: () => new Promise(() => {}) };
    for (const options of [
      { tiers: [never, model('strong')] },
      { verify: [slow] },
      { verify: [agreesWith(never)] },
      { tiers: [model('cheap', 'bad'), never] },
    ]) {
      for (const start of [
        (router: CascadeRouter, signal: AbortSignal): Promise<Generation> => router.generate('q', { signal }),
        (router: CascadeRouter, signal: AbortSignal): Promise<Generation> =>
          router.stream('q', { signal }).result,
      ]) {
        const controller = new AbortController();
        const running = start(cascadeOf(options), controller.signal);
        running.catch(() => {});
        await new Promise((resolve) => setImmediate(resolve));
        controller.abort('enough');
        await expect(running).rejects.toBe('enough');
      }
    }
    await expect(cascadeOf().generate('q', { signal: AbortSignal.abort('no') })).rejects.toBe('no');
  });
});

test('refuses options that cannot be meant', () => {
  const tiers = [model('a'), model('b')];
  const verify = [finished()];
  const gain = gainOf(0);
  for (const [options, message] of [
    [{ tiers: [model('a')], verify }, /two or more/],
    [{ tiers: [model('a'), []], verify }, /tiers\[1\]/],
    [{ tiers, verify: [] }, /at least one verifier/],
    [{ tiers, verify: [() => true] }, /passes\(test\)/],
    [{ tiers, verify, verifiers: [] }, /no option "verifiers"/],
    [{ tiers, verify, whenUnreachable: 'cry' }, /whenUnreachable/],
    [{ tiers, verify, gain: { model: {} } }, /gain\.model/],
    [{ tiers, verify, gain: { ...gain, minGain: Number.NaN } }, /minGain/],
    [{ tiers, verify, gain: { ...gain, minGain: 0.5, directFrom: 0.2 } }, /directFrom/],
    [{ tiers, verify, policies: [{}] }, /name/],
  ] as const) {
    expect(() => new CascadeRouter(options as never)).toThrow(message);
  }
});
