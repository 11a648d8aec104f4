import type { WireAnswer } from './answer.ts';

/** How far an answer came. */
export interface Received {
  /** Whether anything of an answer came. */
  readonly begun: boolean;
  /** Whether the provider said that it is complete. */
  readonly finished: boolean;
  /** The answer as far as it came. */
  answer(): Partial<WireAnswer>;
}

/** An answer in one piece is nothing before its end. */
export const nothingReceived: Received = { begun: false, finished: false, answer: () => ({}) };

/** Everything that is billed as output. */
export function billedText({ text = '', reasoningText = '', toolCalls = [] }: Partial<WireAnswer>): string {
  return text + reasoningText + toolCalls.map(({ name, argumentsText }) => name + argumentsText).join('');
}
