import type { Tokenizer } from './tokenizer.ts';

/** One token of an answer: what a stream sends at a time. */
export type Piece =
  | { readonly kind: 'reasoning' | 'text' | 'refusal'; readonly text: string }
  | {
      readonly kind: 'tool';
      /** Position of the call among the calls of the answer. */
      readonly index: number;
      /** The next bit of the arguments. */
      readonly text: string;
      /** Set on the first piece of a call, which carries no arguments yet. */
      readonly opens?: { readonly id: string; readonly name: string };
    };

/** A tool call as far as its pieces go. */
export interface PieceToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/** The texts that pieces add up to. */
export interface PieceTexts {
  readonly reasoning: string;
  readonly text: string;
  readonly refusal: string;
  readonly toolCalls: readonly PieceToolCall[];
}

/** Puts pieces together again. */
export function joinPieces(pieces: readonly Piece[]): PieceTexts {
  const texts = { reasoning: '', text: '', refusal: '' };
  const toolCalls: { id: string; name: string; arguments: string }[] = [];
  for (const piece of pieces) {
    if (piece.kind !== 'tool') {
      texts[piece.kind] += piece.text;
      continue;
    }
    if (piece.opens !== undefined) toolCalls.push({ ...piece.opens, arguments: '' });
    const call = toolCalls.at(-1);
    if (call !== undefined) call.arguments += piece.text;
  }
  return { ...texts, toolCalls };
}

/** Output tokens of pieces: of text, of names and arguments of tool calls, of reasoning. */
export function countPieces(
  pieces: readonly Piece[],
  { count }: Tokenizer,
): { readonly outputTokens: number; readonly reasoningTokens: number } {
  const { reasoning, text, refusal, toolCalls } = joinPieces(pieces);
  const reasoningTokens = count(reasoning);
  const callTokens = toolCalls.reduce((sum, call) => sum + count(call.name) + count(call.arguments), 0);
  return { outputTokens: reasoningTokens + count(text) + count(refusal) + callTokens, reasoningTokens };
}

/** The first pieces, as many as fit into so many tokens. */
export function limitPieces(
  pieces: readonly Piece[],
  maxTokens: number,
  tokenizer: Tokenizer,
): readonly Piece[] {
  // A piece is at least one token, so no more than that can fit; mostly all of these do.
  const kept = pieces.slice(0, maxTokens);
  for (;;) {
    let over = countPieces(kept, tokenizer).outputTokens - maxTokens;
    if (over <= 0 || kept.length === 0) break;
    // A piece that is taken away takes no more tokens with it than it has by itself: the rest is counted once those are gone.
    while (over > 0 && kept.length > 0) over -= tokensOf(kept.pop() as Piece, tokenizer);
  }
  return kept.length === pieces.length ? pieces : kept;
}

function tokensOf(piece: Piece, { count }: Tokenizer): number {
  const named = piece.kind === 'tool' && piece.opens !== undefined ? count(piece.opens.name) : 0;
  return named + count(piece.text);
}
