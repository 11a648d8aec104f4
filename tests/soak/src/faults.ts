import { type Fault, faults, type SimulatedProvider } from '@synapsekit/testing';

/** Longer than the time limits of streams; a round waits for it. */
const stallMs = 7_000;

/** Everything that goes wrong, each with its own chance; two fifths of all requests meet with something. */
const mix: readonly (readonly [chance: number, fault: Fault])[] = [
  [0.03, faults.serverError()],
  [0.02, faults.overloaded()],
  [0.02, faults.rateLimited({ retryAfter: 0 })],
  [0.02, faults.rateLimited({ retryAfter: 0.05 })],
  [0.005, faults.capacityExceeded()],
  // Opens the circuit for as long as it says.
  [0.0005, faults.outOfQuota({ retryAfter: 0.2 })],
  [0.005, faults.unauthorized()],
  [0.005, faults.modelNotFound()],
  [0.005, faults.contextLengthExceeded()],
  [0.005, faults.contentPolicyViolation()],
  [0.01, faults.html()],
  [0.005, faults.emptyObject()],
  [0.005, faults.malformedJson()],
  [0.01, faults.dropped()],
  [0.01, faults.reset('headers')],
  [0.01, faults.reset('content')],
  [0.02, faults.resetAfter(3)],
  [0.02, faults.hangUpAfter(3)],
  [0.01, faults.shortBody()],
  [0.02, faults.endAfter(0)],
  [0.02, faults.endAfter(3)],
  [0.02, faults.errorAfter(0)],
  [0.02, faults.errorAfter(3)],
  [0.01, faults.errorAfter(3, 'rate_limit_exceeded')],
  [0.002, faults.stall('arrival', stallMs)],
  [0.002, faults.stall('headers', stallMs)],
  [0.002, faults.stall('content', stallMs)],
  [0.002, faults.stall('midway', stallMs)],
  [0.01, faults.stall('midway', 20)],
  [0.02, faults.missingUsage()],
  [0.01, faults.missingFinishReason()],
  [0.01, faults.missingDone()],
  [0.01, faults.keepAlives(2)],
  [0.01, faults.emptyDeltas(2)],
  [0.005, faults.drip(64, 1)],
  [0.01, { ...faults.keepAlives(1), ...faults.resetAfter(2) }],
];

/** Orders all of them, for good. */
export function orderFaults(simulated: SimulatedProvider): void {
  for (const [chance, fault] of mix) simulated.fail(fault, { chance, times: Number.POSITIVE_INFINITY });
}
