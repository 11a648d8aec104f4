import type { IdSource } from '@synapsekit/core';
import type { BilledTokens } from './bill.ts';
import type { ValidChat } from './chat.ts';
import { countPieces, limitPieces, type Piece } from './piece.ts';
import type { ScriptedAnswer, ScriptedToolCall } from './scripted-answer.ts';
import type { Tokenizer } from './tokenizer.ts';

/** An answer as it goes out: cut into pieces, counted, with the reason why it ends. */
export interface FinishedAnswer {
  readonly pieces: readonly Piece[];
  readonly finishReason: string;
  readonly usage: BilledTokens;
  readonly alternatives: Readonly<Record<string, number>>;
}

/** Applies what the request says about the answer: stop sequences, the token limit, thinking. */
export function finishAnswer(
  answer: ScriptedAnswer,
  chat: ValidChat,
  cachedTokens: number,
  tokenizer: Tokenizer,
  ids: IdSource,
): FinishedAnswer {
  const whole = [
    ...textPieces('reasoning', answer.reasoning ?? '', tokenizer),
    ...textPieces('refusal', answer.refusal ?? '', tokenizer),
    ...textPieces('text', beforeStop(answer.text ?? '', chat.stop), tokenizer),
    ...(answer.toolCalls ?? []).flatMap((call, index) => toolPieces(call, index, tokenizer, ids)),
  ];
  const pieces = limitPieces(whole, chat.maxTokens, tokenizer);
  const natural = pieces.length < whole.length ? 'length' : usualReason(answer, chat);
  const counted = countPieces(pieces, tokenizer);
  const usage = answer.usage ?? {};
  const inputTokens = usage.inputTokens ?? chat.promptTokens;
  const outputTokens = usage.outputTokens ?? counted.outputTokens;
  return {
    pieces,
    finishReason: answer.finishReason ?? natural,
    usage: {
      inputTokens,
      cachedInputTokens: Math.min(usage.cachedInputTokens ?? cachedTokens, inputTokens),
      outputTokens,
      reasoningTokens: Math.min(usage.reasoningTokens ?? counted.reasoningTokens, outputTokens),
    },
    alternatives: answer.alternatives ?? {},
  };
}

function usualReason({ toolCalls = [] }: ScriptedAnswer, { body, provider }: ValidChat): string {
  if (toolCalls.length === 0) return 'stop';
  // OpenAI reports a call that the request forced by name as an ordinary stop.
  return provider === 'openai' && typeof body.tool_choice === 'object' && body.tool_choice !== null
    ? 'stop'
    : 'tool_calls';
}

function beforeStop(text: string, stop: readonly string[]): string {
  const ends = stop
    .map((sequence) => (sequence === '' ? -1 : text.indexOf(sequence)))
    .filter((end) => end >= 0);
  return ends.length === 0 ? text : text.slice(0, Math.min(...ends));
}

function textPieces(kind: 'reasoning' | 'text' | 'refusal', text: string, { pieces }: Tokenizer): Piece[] {
  return pieces(text).map((piece) => ({ kind, text: piece }));
}

function toolPieces(call: ScriptedToolCall, index: number, { pieces }: Tokenizer, ids: IdSource): Piece[] {
  const { name, id = ids(), arguments: value = {} } = call;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return [
    { kind: 'tool', index, text: '', opens: { id, name } },
    ...pieces(text).map((piece): Piece => ({ kind: 'tool', index, text: piece })),
  ];
}
