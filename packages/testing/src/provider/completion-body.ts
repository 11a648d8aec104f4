import type { ValidChat } from './chat.ts';
import type { OmittedPart } from './fault.ts';
import type { FinishedAnswer } from './finished-answer.ts';
import { tokenLogprobs } from './logprobs.ts';
import { joinPieces, type PieceToolCall } from './piece.ts';
import { usageBody } from './usage-body.ts';

/** Facts of an answer that are the same in each of its chunks. */
export interface AnswerFacts {
  readonly id: string;
  readonly requestId: string;
  /** Unix seconds. */
  readonly created: number;
}

/** The members that whole answers and chunks have in common. */
export function envelope(object: string, chat: ValidChat, facts: AnswerFacts): Record<string, unknown> {
  return {
    id: facts.id,
    object,
    created: facts.created,
    model: chat.served.servedAs,
    service_tier: chat.serviceTier,
    // The same seed on the same model means the same backend.
    system_fingerprint: `fp_${chat.served.id.replace(/\W+/g, '')}`,
  };
}

/** The body of an answer in one piece. */
export function completionBody(
  chat: ValidChat,
  answer: FinishedAnswer,
  facts: AnswerFacts,
  omit: readonly OmittedPart[],
): object {
  const { reasoning, text, refusal, toolCalls } = joinPieces(answer.pieces);
  const groq = chat.provider === 'groq';
  const content = text === '' && (toolCalls.length > 0 || refusal !== '') ? null : text;
  const message = {
    role: 'assistant',
    content,
    ...(toolCalls.length > 0 && { tool_calls: toolCalls.map(wireToolCall) }),
    ...(groq
      ? reasoning !== '' && showsReasoning(chat) && { reasoning }
      : { refusal: refusal === '' ? null : refusal, annotations: [] }),
  };
  return {
    ...envelope('chat.completion', chat, facts),
    choices: [
      {
        index: 0,
        message,
        logprobs: completionLogprobs(chat, answer),
        finish_reason: omit.includes('finish-reason') ? null : answer.finishReason,
      },
    ],
    ...(!omit.includes('usage') && { usage: usageBody(chat.provider, answer.usage, chat.served.reasoning) }),
    ...(groq && { x_groq: { id: facts.requestId, seed: chat.body.seed ?? null } }),
  };
}

/** Groq sends what its reasoning models think unless told not to; OpenAI never does. */
export function showsReasoning({ provider, body }: ValidChat): boolean {
  return provider === 'groq' && body.include_reasoning !== false;
}

function completionLogprobs(chat: ValidChat, answer: FinishedAnswer): object | null {
  if (chat.topLogprobs === undefined) return null;
  const texts = answer.pieces.filter(({ kind }) => kind === 'text');
  return {
    content: texts.map(({ text }, position) => tokenLogprobs(text, position, chat, answer)),
    refusal: null,
  };
}

function wireToolCall({ id, name, arguments: text }: PieceToolCall): object {
  return { id, type: 'function', function: { name, arguments: text } };
}
