import type { BilledTokens } from './bill.ts';
import type { ValidChat } from './chat.ts';
import { ChunkWriter } from './chunk-body.ts';
import { type AnswerFacts, showsReasoning } from './completion-body.ts';
import type { Exchange } from './exchange.ts';
import type { FinishedAnswer } from './finished-answer.ts';
import { countPieces, type Piece } from './piece.ts';
import { wait } from './wait.ts';

/** Sends a streamed answer as server-sent events, with the exchange's fault on its way. */
export async function sendStream(
  exchange: Exchange,
  chat: ValidChat,
  answer: FinishedAnswer,
  facts: AnswerFacts,
): Promise<void> {
  const { reply, record, fault, parts } = exchange;
  const visible = showsReasoning(chat)
    ? answer.pieces
    : answer.pieces.filter(({ kind }) => kind !== 'reasoning');
  const sent: Piece[] = [];
  const settleCut = (): void => exchange.post(chat, cutUsage(answer, sent, exchange), 'cut');
  const passes = (position: 'headers' | number): Promise<boolean> =>
    exchange.passes(position, { deltas: visible.length }, settleCut);

  if (!(await passes('headers'))) return;
  exchange.start(
    200,
    { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache', ...fault.headers },
    { tokens: chat.promptTokens, flush: true },
  );
  const chunks = new ChunkWriter(chat, answer, facts);
  await reply.write(chunks.opening());
  if (!(await passes(0))) return;

  const delayMs = parts.chunkDelayMs(record);
  for (const piece of visible) {
    await wait(parts.clock, delayMs, reply.gone);
    await reply.write(noise(exchange, chunks));
    if (await reply.write(chunks.piece(piece))) {
      sent.push(piece);
      if (piece.kind === 'text') record.sentText += piece.text;
    }
    if (!(await passes(sent.length))) return;
  }

  // The books are closed before the client can see the end.
  exchange.post(chat, answer.usage, 'complete');
  exchange.end('answered');
  await reply.write(endOf(exchange, chat, chunks));
  reply.finish('');
}

/** What a broken-off stream is billed: the input, and the output that was really sent. */
function cutUsage({ usage }: FinishedAnswer, sent: readonly Piece[], { parts }: Exchange): BilledTokens {
  return { ...usage, ...countPieces(sent, parts.tokenizer) };
}

function noise({ fault }: Exchange, chunks: ChunkWriter): string {
  const { comments = 0, emptyDeltas = 0 } = fault.noise ?? {};
  return ': keep-alive\n\n'.repeat(comments) + chunks.empty().repeat(emptyDeltas);
}

function endOf({ fault: { omit = [] } }: Exchange, chat: ValidChat, chunks: ChunkWriter): string {
  const withUsage = !omit.includes('usage');
  return [
    chunks.closing(!omit.includes('finish-reason'), withUsage),
    withUsage && chat.includeUsage ? chunks.usage() : '',
    omit.includes('done') ? '' : 'data: [DONE]\n\n',
  ].join('');
}
