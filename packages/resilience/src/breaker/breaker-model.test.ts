import { type Clock, systemClock } from '@synapsekit/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReferenceBreaker } from '../../test/reference-breaker.ts';
import { CircuitBreaker, type Isolation } from './circuit-breaker.ts';
import type { Permit } from './permit.ts';

type Action =
  | { readonly do: 'admit'; readonly times: number }
  | { readonly do: 'settle'; readonly which: number; readonly verdict: 'succeed' | 'fail' | 'neutral' }
  | { readonly do: 'advance' | 'open'; readonly ms: number }
  | { readonly do: 'close' | 'isolate' | 'release' };

// Times are small, so that they meet: leases, windows and recoveries end together.
const ms = fc.integer({ min: 0, max: 12 });
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('admit'), times: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('settle'),
      which: fc.nat(20),
      verdict: fc.constantFrom('fail', 'fail', 'succeed', 'neutral'),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('advance'), ms }) },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.record({ do: fc.constant('open'), ms }),
      fc.record({ do: fc.constantFrom('close', 'isolate', 'release') }),
    ),
  },
);

const options = fc.record({
  failureThreshold: fc.integer({ min: 1, max: 4 }),
  windowMs: fc.integer({ min: 1, max: 10 }),
  recoveryMs: fc.integer({ min: 1, max: 10 }),
  halfOpenPermits: fc.integer({ min: 1, max: 3 }),
  probeLeaseMs: fc.integer({ min: 1, max: 6 }),
});

/** How long an open circuit stays so. */
function waitOf(breaker: ReferenceBreaker | CircuitBreaker): number | undefined {
  if (breaker instanceof CircuitBreaker) return breaker.state === 'OPEN' ? breaker.retryAfterMs : 0;
  if (breaker.isolations > 0) return undefined;
  return breaker.mode === 'OPEN' ? Math.max(0, breaker.openUntilMs - breaker.nowMs) : 0;
}

test('10,000 random interleavings do what the plain reference does (29)', () => {
  fc.assert(
    fc.property(options, fc.array(action, { minLength: 5, maxLength: 40 }), (given, actions) => {
      const reference = new ReferenceBreaker(given);
      const clock: Clock = { ...systemClock, monotonic: () => reference.nowMs };
      const breaker = new CircuitBreaker({
        name: 'model',
        failureThreshold: given.failureThreshold,
        windowSeconds: given.windowMs / 1_000,
        recoveryTimeout: given.recoveryMs / 1_000,
        halfOpenPermits: given.halfOpenPermits,
        probeLeaseMs: given.probeLeaseMs,
        clock,
      });
      const permits: Permit[] = [];
      const isolations: Isolation[] = [];
      const down = new Error('down');

      for (const step of actions) {
        if (step.do === 'admit') {
          for (let time = 0; time < step.times; time++) {
            const call = reference.admit();
            const permit = breaker.tryAcquire();
            if (permit?.probe !== call?.probe) expect(permit?.probe).toBe(call?.probe);
            if (permit !== undefined) permits.push(permit);
          }
        } else if (step.do === 'settle') {
          const which = step.which % Math.max(1, permits.length);
          const [permit, call] = [permits[which], reference.calls[which]];
          if (permit === undefined || call === undefined) continue;
          reference.settle(call, step.verdict);
          permit[step.verdict](down);
        } else if (step.do === 'advance') {
          reference.nowMs += step.ms;
        } else if (step.do === 'open') {
          reference.open(step.ms);
          breaker.open(step.ms);
        } else if (step.do === 'close') {
          reference.close();
          breaker.close();
        } else if (step.do === 'isolate') {
          reference.isolate();
          isolations.push(breaker.isolate());
        } else {
          reference.release();
          isolations.pop()?.release();
        }
        const seen = [...Object.values(breaker.stats()).slice(0, 7), waitOf(breaker)].join();
        const due = [reference.state, reference.isolations > 0, ...Object.values(reference.counts)];
        // Compared as text: a million `expect`s take seconds.
        if (seen !== [...due, waitOf(reference)].join()) {
          expect({ step, seen }).toEqual({ step, seen: [...due, waitOf(reference)].join() });
        }
        if (reference.probesOut.length > given.halfOpenPermits) expect.unreachable('too many probes');
      }
    }),
    { numRuns: 10_000 },
  );
});
