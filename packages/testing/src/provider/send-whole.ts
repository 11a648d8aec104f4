import type { Exchange } from './exchange.ts';

/** An answer in one piece. */
export interface WholeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Tokens that count against the rate limit. */
  readonly tokens?: number;
  readonly outcome: 'answered' | 'refused';
  /** Text for the log, once the body is out. */
  readonly sentText?: string;
}

/**
 * Sends an answer in one piece, with the exchange's fault on its way.
 *
 * @param settle bills it, in full or cut.
 */
export async function sendWhole(
  exchange: Exchange,
  answer: WholeAnswer,
  settle: (reason: 'complete' | 'cut') => void,
): Promise<void> {
  const { reply, fault } = exchange;
  const body = Buffer.from(answer.body);
  if (!(await exchange.passes('headers', 'whole', settle))) return;
  exchange.start(
    answer.status,
    { 'content-length': String(body.length), ...answer.headers },
    { ...(answer.tokens === undefined ? {} : { tokens: answer.tokens }), flush: fault.cut !== undefined },
  );
  if (!(await exchange.passes(0, 'whole', settle))) return;
  let sent = 0;
  if (fault.cut !== undefined) {
    sent = Math.floor(body.length / 2);
    await reply.write(body.subarray(0, sent));
    if (!(await exchange.passes(1, 'whole', settle))) return;
  }
  // All but the last byte may drip; the books are closed before the client can see the end.
  if (fault.drip !== undefined && body.length > sent + 1) {
    await reply.write(body.subarray(sent, -1));
    sent = body.length - 1;
  }
  if (reply.gone.aborted) {
    settle('cut');
    exchange.end('aborted');
    return;
  }
  settle('complete');
  exchange.record.sentText = answer.sentText ?? '';
  exchange.end(answer.outcome);
  reply.finish(body.subarray(sent));
}
