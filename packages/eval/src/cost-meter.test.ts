import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { costChannel, ProviderError } from '@synapsekit/core';
import { seededRandom } from '@synapsekit/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { paidModel, publish } from '../test/paid-model.ts';
import { CostMeter } from './cost-meter.ts';

const meters: CostMeter[] = [];
const open = (): CostMeter => {
  const meter = new CostMeter();
  meters.push(meter);
  return meter;
};
afterEach(() => {
  for (const meter of meters.splice(0)) meter.close();
});

describe('CostMeter', () => {
  test('measures what a tracker records in its async context, and nothing else', async () => {
    const [meter, other] = [open(), open()];
    const model = paidModel({ usd: '0.25' });
    await model.generate('nobody measures this');
    await meter.run(async () => {
      await sleep(1);
      await Promise.all([model.generate('a'), model.generate('b')]);
    });
    expect(meter.cost).toEqual({
      pico: 500_000_000_000n,
      calls: 2,
      estimatedCalls: 0,
      missingCalls: 0,
      missing: [],
    });
    expect(meter.attempts.map(({ outcome }) => outcome)).toEqual(['served', 'served']);
    expect(other.cost.calls).toBe(0);
  });

  test('counts an attempt once, however many trackers record it', async () => {
    const meter = open();
    await meter.run(() => paidModel({ usd: '0.25', trackers: 3 }).generate('a'));
    expect(meter.cost).toMatchObject({ pico: 250_000_000_000n, calls: 1 });
  });

  test('takes the dearest of different amounts for one attempt, and a counted one over an estimate', async () => {
    const [outer, amounts, estimate] = [open(), open(), open()];
    amounts.run(() => {
      publish('a', { usd: '0.5' });
      publish('a', { usd: '0.25' });
      publish('a', { unpriced: true });
    });
    expect(amounts.cost).toMatchObject({ pico: 500_000_000_000n, calls: 1, missingCalls: 0 });
    estimate.run(() => publish('b', { usd: '0.5', estimated: true }));
    expect(estimate.cost).toMatchObject({ pico: 500_000_000_000n, estimatedCalls: 1 });
    estimate.run(() => publish('b', { usd: '0.25' }));
    expect(estimate.cost).toMatchObject({ pico: 250_000_000_000n, calls: 1, estimatedCalls: 0 });
    expect(outer.cost.calls).toBe(0);
  });

  test('keeps a thousand interleaved pieces of work apart, to the last pico-dollar', async () => {
    const random = seededRandom(7);
    const outer = open();
    const runs = await outer.run(() =>
      Promise.all(
        Array.from({ length: 1_000 }, async (_, index) => {
          const meter = open();
          const model = paidModel({
            usd: `0.${String(index + 1).padStart(12, '0')}`,
            trackers: 1 + (index % 2),
          });
          await meter.run(async () => {
            for (let call = 0; call < index % 3; call++) {
              if (random() < 0.1) await sleep(random() * 3);
              await (random() < 0.5 ? model.generate('x') : model.stream('x').result);
            }
          });
          return { pico: meter.cost.pico, expected: BigInt(index + 1) * BigInt(index % 3) };
        }),
      ),
    );
    expect(runs.filter(({ pico, expected }) => pico !== expected)).toEqual([]);
    expect(outer.cost.pico).toBe(runs.reduce((sum, { expected }) => sum + expected, 0n));
    expect(outer.cost.missingCalls).toBe(0);
    expect(outer.ownCost.calls).toBe(0);
  });

  test('measures a stream where it was created, whoever reads it', async () => {
    const meter = open();
    const stream = meter.run(() => paidModel().stream('a'));
    for await (const _ of stream);
    expect(meter.cost).toMatchObject({ pico: 2_300_000n, calls: 1, missingCalls: 0 });
  });

  test('names calls that may be on the bill and were not recorded', async () => {
    const meter = open();
    await meter.run(async () => {
      await paidModel({ trackers: 0, model: 'loose' }).generate('a');
      await paidModel({ unpriced: true, model: 'new' }).generate('a');
      await paidModel().generate('a');
    });
    expect(meter.cost).toEqual({
      pico: 2_300_000n,
      calls: 1,
      estimatedCalls: 0,
      missingCalls: 2,
      missing: ['no price for local/new', 'no tracker recorded 1 call to local/loose'],
    });
  });

  test('does not miss a call that the provider refused: nobody bills that', async () => {
    const meter = open();
    const refuse = (): never => {
      throw new ProviderError('no', { kind: 'rate-limit', provider: 'local', model: 'm', status: 429 });
    };
    await meter.run(() => paidModel({ answer: refuse }).generate('a')).catch(() => {});
    expect(meter.attempts).toHaveLength(1);
    expect(meter.cost).toMatchObject({ calls: 0, missingCalls: 0 });
  });

  test('says when a call is still running, and waits for it', async () => {
    const meter = open();
    const answer = Promise.withResolvers<string>();
    const call = meter.run(() => paidModel({ answer: () => answer.promise }).generate('a'));
    expect(meter.cost.missing).toEqual(['1 call still running']);
    let idle = false;
    const waiting = meter.idle().then(() => {
      idle = true;
    });
    await sleep(1);
    expect(idle).toBe(false);
    answer.resolve('done');
    await Promise.all([call, waiting]);
    expect(meter.cost).toMatchObject({ calls: 1, missingCalls: 0 });
  });

  test('finds the record of an attempt that was made in another async context', async () => {
    const meter = open();
    const model = paidModel({ trackers: 0 });
    const { usage } = await meter.run(() => model.generate('a'));
    publish(usage.attemptId ?? '', { usd: '0.25' }); // a queue records it later, from outside
    expect(meter.cost).toMatchObject({ pico: 250_000_000_000n, calls: 1, missingCalls: 0 });
  });

  test('made inside of another measures a part of it; what neither part measured is its own', async () => {
    const outer = open();
    await outer.run(async () => {
      await paidModel({ usd: '0.25' }).generate('a');
      await open().run(() => paidModel({ usd: '0.5' }).generate('b'));
    });
    expect(outer.cost.pico).toBe(750_000_000_000n);
    expect(outer.ownCost.pico).toBe(250_000_000_000n);
  });

  test('hands what is still running when it closes to the one around it', async () => {
    const outer = open();
    const answer = Promise.withResolvers<string>();
    const call = outer.run(() => {
      const inner = open();
      const started = inner.run(() => paidModel({ answer: () => answer.promise }).generate('a'));
      inner.close();
      return started;
    });
    expect(outer.cost.missingCalls).toBe(1);
    answer.resolve('done');
    await call;
    expect(outer.cost).toMatchObject({ calls: 1, missingCalls: 0 });
  });

  test('costs nobody anything once the last one is closed', async () => {
    const [first, second] = [open(), open()];
    first.close();
    first.close();
    expect(costChannel.hasSubscribers).toBe(true);
    second.close();
    expect(costChannel.hasSubscribers).toBe(false);
    await first.run(() => paidModel().generate('a'));
    expect(first.cost.calls).toBe(0);
  });

  test('leaves the async context of others alone', () => {
    const storage = new AsyncLocalStorage<string>();
    expect(storage.run('mine', () => open().run(() => storage.getStore()))).toBe('mine');
  });
});
