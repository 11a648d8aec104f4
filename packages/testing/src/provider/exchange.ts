import { answerHeaders } from './answer-headers.ts';
import type { BilledTokens } from './bill.ts';
import type { ValidChat } from './chat.ts';
import { breakOff, cutPosition, type Position, type Shape, stall } from './cut.ts';
import { toRefusal } from './error-event.ts';
import type { Fault } from './fault.ts';
import { errorBody, type Refusal } from './provider-error.ts';
import type { Reply } from './reply.ts';
import type { ServerParts } from './server-parts.ts';
import type { ExchangeOutcome, RequestRecord } from './simulated-request.ts';

/** What one exchange is made of, and what its kinds have in common: headers, faults on the way, the end. */
export class Exchange {
  readonly parts: ServerParts;
  readonly record: RequestRecord;
  readonly reply: Reply;
  readonly fault: Fault;
  readonly #startMs: number;

  constructor(parts: ServerParts, record: RequestRecord, reply: Reply, fault: Fault) {
    this.parts = parts;
    this.record = record;
    this.reply = reply;
    this.fault = fault;
    this.#startMs = parts.clock.monotonic();
  }

  /** Sends status and headers. */
  start(
    status: number,
    headers: object,
    options: { readonly tokens?: number; readonly flush?: boolean } = {},
  ): void {
    const { clock } = this.parts;
    this.record.status = status;
    const common = answerHeaders({
      provider: this.record.provider,
      requestId: this.record.requestId,
      nowMs: clock.now(),
      tokens: options.tokens,
      processingMs: clock.monotonic() - this.#startMs,
    });
    this.reply.start(status, { ...common, ...headers }, { flush: options.flush ?? false });
  }

  /**
   * Lets the fault act if its place is here.
   *
   * @param settle what is billed if it ends here.
   * @returns whether the answer goes on.
   */
  async passes(position: Position, shape: Shape, settle: (reason: 'cut') => void): Promise<boolean> {
    const { cut } = this.fault;
    const here = cut !== undefined && cutPosition(cut, shape) === position;
    if (here && cut.how === 'stall') {
      if (await stall(cut, this.parts.clock, this.reply)) return true;
    } else if (here && cut.how === 'error' && !this.reply.started) {
      const { provider, model } = this.record;
      this.refuse(toRefusal(cut.error ?? 'server_error', provider, model));
      return false;
    } else if (here) {
      // An error in place of the first piece is an error like any other: nothing is billed.
      if (cut.how !== 'error' || position !== 0) settle('cut');
      this.end('cut');
      await breakOff(cut, shape, this.reply, this.record);
      return false;
    }
    if (!this.reply.gone.aborted) return true;
    settle('cut');
    this.end(this.reply.clientLeft ? 'aborted' : 'cut');
    return false;
  }

  /** Answers with an error in the provider's shape. Nothing is billed. */
  refuse(refusal: Refusal): void {
    const body = JSON.stringify(errorBody(this.record.provider, refusal.facts));
    this.start(refusal.status, {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
    });
    this.end('refused');
    this.reply.finish(body);
  }

  /** Puts the request on the bill. */
  post(chat: ValidChat, tokens: BilledTokens, reason: 'complete' | 'cut'): void {
    const { requestId, attemptId } = this.record;
    const facts = { requestId, attemptId, serviceTier: chat.serviceTier, reason };
    this.record.billed ??= this.parts.bill.post(chat.served, tokens, facts);
  }

  end(outcome: Exclude<ExchangeOutcome, 'running'>): void {
    this.record.end(outcome, this.parts.clock.now());
  }
}
