import type { Usage } from './usage.ts';

/** Which attempt: known before it is sent. */
export interface AttemptIdentity {
  /** Unique. Records, errors and ledger entries carry it, so that nobody books it twice. */
  readonly attemptId: string;
  readonly provider: string;
  /** The model that was asked for. */
  readonly model: string;
  /** `LLM.id` of the model that was asked. */
  readonly id: string;
}

/**
 * One physical attempt: one request to one provider. The unit in which money is booked.
 * It carries no prompt and no answer.
 */
export interface Attempt extends AttemptIdentity {
  /**
   * - `"served"`: the provider answered in full.
   * - `"refused"`: the provider answered with an error. Providers do not bill that.
   * - `"partial"`: an answer began and was cut (abort, lost connection, stall, consumer left). Billed for what came.
   * - `"unanswered"`: sent, and nothing came back. It may be billed, nobody knows.
   * - `"unsent"`: it never left. Free.
   */
  readonly outcome: 'served' | 'refused' | 'partial' | 'unanswered' | 'unsent';
  /**
   * What it used. From the provider for `"served"`; an estimate (input sent + output received) for `"partial"`
   * and `"unanswered"`; absent for `"refused"` and `"unsent"`.
   */
  readonly usage?: Usage | undefined;
  /** The provider's request id. */
  readonly requestId?: string | undefined;
  /** Milliseconds from sending to the end. */
  readonly latencyMs: number;
  /** Milliseconds from sending to the first content, if there was any. */
  readonly firstTokenMs?: number | undefined;
}
