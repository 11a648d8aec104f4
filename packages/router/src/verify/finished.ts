import type { Verifier } from './verifier.ts';

/**
 * The answer came to its end: the model stopped by itself, was neither cut off by a token limit nor by a filter, and
 * tool calls are calls of known tools with readable arguments.
 */
export function finished(): Verifier {
  return {
    name: 'finished',
    verify({ generation, options }) {
      const { finishReason, toolCalls, text } = generation;
      if (finishReason !== 'stop' && finishReason !== 'tool-calls') {
        return { pass: false, reason: `the finish reason is "${finishReason}"` };
      }
      if (text.trim() === '' && toolCalls.length === 0) return { pass: false, reason: 'the answer is empty' };
      const names = new Set(options.tools?.map(({ name }) => name));
      for (const call of toolCalls) {
        if (call.argumentsError !== undefined) {
          return { pass: false, reason: 'the arguments of a tool call are no JSON' };
        }
        if (!names.has(call.name)) return { pass: false, reason: 'it calls a tool that was not offered' };
      }
      return { pass: true, reason: `the finish reason is "${finishReason}"` };
    },
  };
}
