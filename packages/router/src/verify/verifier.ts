import type { CallOptions, Generation, LLM, Prompt } from '@synapsekit/core';

/** What a verifier is shown. */
export interface VerifyRequest {
  readonly prompt: Prompt;
  /** The caller's options, without his listeners. */
  readonly options: CallOptions;
  /** The answer to be judged. */
  readonly generation: Generation;
  /** Aborts when the caller gives up: hand it on. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Asks another model the same question. Its cost is then a cost of this call, booked and budgeted like any other.
   *
   * @param options over the caller's. @default the caller's
   */
  ask(llm: LLM, options?: CallOptions): Promise<Generation>;
}

/** What a verifier says. */
export interface Verdict {
  /** True: good enough. False: not. `undefined`: it cannot tell. */
  readonly pass: boolean | undefined;
  /** Why, for people. Never a part of prompt or answer. */
  readonly reason: string;
  /** Chance that the answer is right, 0 to 1, for those who estimate it. */
  readonly score?: number | undefined;
  /** What a stronger model is expected to gain, -1 to 1, for those who estimate it. No gain model is asked then. */
  readonly gain?: number | undefined;
  /** What went wrong where it could not tell, or where a test threw. */
  readonly error?: unknown;
}

/**
 * Looks at a cheap answer, for nothing or almost nothing. Make your own: an object with a name and `verify`, or
 * `passes(test)`.
 */
export interface Verifier {
  /** Stands in `route.verdicts`. */
  readonly name: string;
  /**
   * How a failure counts. `"broken"`: the answer is of no use (no JSON, cut off, refused). `"doubtful"`: it may be wrong;
   * a gain model may veto the escalation, and it is handed out when nobody better can be asked.
   * @default "broken"
   */
  readonly failure?: 'broken' | 'doubtful' | undefined;
  /** True when it reads log-probabilities: the cheap model is then asked for them, if it can. @default false */
  readonly needsLogprobs?: boolean | undefined;
  /** The models that it asks, so that budgets can hold for them. */
  readonly models?: readonly LLM[] | undefined;
  /** Judges. What it throws counts as "cannot tell"; only an abort goes through. */
  verify(request: VerifyRequest): Verdict | Promise<Verdict>;
}

/** An answer that only asks for tools: there is no text to judge. */
export function onlyToolCalls({ text, toolCalls }: Generation): boolean {
  return toolCalls.length > 0 && text.trim() === '';
}

/** The verdict on an answer without text. */
export const noText: Verdict = { pass: undefined, reason: 'the answer only calls tools' };
