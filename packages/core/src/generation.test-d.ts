import { expectTypeOf, test } from 'vitest';
import type { FinishReason, Generation, GenerationStream, LLM, StreamEvent, ToolCall } from './index.ts';

declare const llm: LLM;
declare const generation: Generation;
declare const event: StreamEvent;

test('generate gives a Generation, stream its pieces and the same Generation', () => {
  expectTypeOf(llm.generate('')).resolves.toEqualTypeOf<Generation>();
  expectTypeOf(llm.stream('')).toEqualTypeOf<GenerationStream>();
  expectTypeOf(llm.stream('').result).resolves.toEqualTypeOf<Generation>();
  expectTypeOf(llm.stream('').textStream).toMatchTypeOf<AsyncIterable<string>>();
});

test('text and tool calls are always there, what a provider may not tell is not', () => {
  expectTypeOf(generation.text).toEqualTypeOf<string>();
  expectTypeOf(generation.toolCalls).toEqualTypeOf<readonly ToolCall[]>();
  expectTypeOf(generation.usage.inputTokens).toEqualTypeOf<number>();
  expectTypeOf(generation.reasoningText).toEqualTypeOf<string | undefined>();
  expectTypeOf(generation.rateLimit?.remainingRequests).toEqualTypeOf<number | undefined>();
});

test('a switch over finishReason is complete, and a word that is none does not compile', () => {
  const told = (reason: FinishReason): string => {
    switch (reason) {
      case 'stop':
      case 'length':
      case 'tool-calls':
      case 'content-filter':
      case 'aborted':
      case 'budget_cut':
      case 'other':
        return reason;
    }
    expectTypeOf(reason).toBeNever();
    return reason;
  };
  expectTypeOf(told).returns.toBeString();
  // @ts-expect-error OpenAI's own word is in rawFinishReason.
  if (generation.finishReason === 'tool_calls') return;
});

test('the arguments of a tool call are unknown until somebody checks them', () => {
  const [call] = generation.toolCalls;
  expectTypeOf(call).toEqualTypeOf<ToolCall | undefined>();
  if (call === undefined) return;
  expectTypeOf(call.arguments).toBeUnknown();
  // @ts-expect-error Not before they are checked.
  call.arguments.city;
});

test('an event is told by its type', () => {
  if (event.type === 'text') expectTypeOf(event.text).toBeString();
  if (event.type === 'tool-call') expectTypeOf(event.toolCall).toEqualTypeOf<ToolCall>();
  if (event.type === 'finish') expectTypeOf(event.finishReason).toEqualTypeOf<FinishReason>();
  if (event.type === 'usage') expectTypeOf(event.usage.outputTokens).toBeNumber();
  // @ts-expect-error There is no such event.
  if (event.type === 'done') return;
});

test('an answer cannot be changed', () => {
  // @ts-expect-error
  generation.text = '';
  // @ts-expect-error
  generation.toolCalls.push;
});
