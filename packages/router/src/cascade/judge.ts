import { raceAbort } from '@synapsekit/core';
import type { Verifier, VerifyRequest } from '../verify/verifier.ts';
import type { NamedVerdict } from './cascade-route.ts';

/** What the verifiers make of an answer together. */
export interface Judgement {
  /**
   * `"good"`: at least one says so and none denies it. `"doubtful"`: it may be wrong, or nobody could tell. `"broken"`:
   * it is of no use.
   */
  readonly result: 'good' | 'doubtful' | 'broken';
  readonly verdicts: readonly NamedVerdict[];
  /** What a stronger model would gain, if the verifier that failed it knows. */
  readonly gain: number | undefined;
}

/** Asks the verifiers in order, up to the first that fails the answer. @throws `signal.reason` on abort. */
export async function judge(verifiers: readonly Verifier[], request: VerifyRequest): Promise<Judgement> {
  const { signal } = request;
  const verdicts: NamedVerdict[] = [];
  for (const verifier of verifiers) {
    signal?.throwIfAborted();
    const verdict = await verdictOf(verifier, request);
    verdicts.push(verdict);
    if (verdict.pass === false) {
      return { result: verifier.failure ?? 'broken', verdicts, gain: verdict.gain };
    }
  }
  const good = verdicts.some(({ pass }) => pass === true);
  return { result: good ? 'good' : 'doubtful', verdicts, gain: undefined };
}

async function verdictOf(verifier: Verifier, request: VerifyRequest): Promise<NamedVerdict> {
  const { name } = verifier;
  try {
    const verdict = await raceAbort(Promise.resolve(verifier.verify(request)), request.signal);
    return { verifier: name, ...verdict };
  } catch (error) {
    if (request.signal?.aborted === true) throw request.signal.reason;
    return { verifier: name, pass: undefined, reason: 'the verifier threw', error };
  }
}
