import { describe, test } from 'vitest';
import { answerChecks } from './llm-answers.ts';
import { attemptChecks, secretChecks } from './llm-attempts.ts';
import type { CreateLLM, LLMCheck } from './llm-check.ts';
import { failureChecks } from './llm-failures.ts';
import { streamChecks } from './llm-streams.ts';
import { abortChecks, timeoutChecks } from './llm-time.ts';
import { toolChecks } from './llm-tools.ts';

/** Everything that an adapter has to keep, by subject. Each check runs by itself, under any test runner. */
export const llmContract: Readonly<Record<string, readonly LLMCheck[]>> = {
  answers: answerChecks,
  tools: toolChecks,
  streams: streamChecks,
  failures: failureChecks,
  'time limits': timeoutChecks,
  aborts: abortChecks,
  attempts: attemptChecks,
  secrets: secretChecks,
};

/**
 * Tests an adapter against the contract of `LLM`: over real HTTP, with the simulated provider at the other end.
 *
 * ```ts
 * describeLLM('my adapter', ({ simulated, apiKey, config }) =>
 *   new MyLLM({ model: 'gpt-4o-mini', baseURL: simulated.openaiBaseURL, apiKey, config }),
 * );
 * ```
 *
 * There is nothing to switch off. The one thing that the suite learns from the model is whether its provider has
 * log-probabilities at all (`capabilities.logprobs`).
 *
 * @param create is called for each check, often more than once.
 */
export function describeLLM(name: string, create: CreateLLM): void {
  describe(`${name} keeps the contract of an LLM`, () => {
    for (const [subject, checks] of Object.entries(llmContract)) {
      // Checks that mostly wait may do so together; each has a server of its own.
      describe(subject, { concurrent: subject === 'time limits' || subject === 'aborts' }, () => {
        for (const check of checks) test(check.name, () => check.run(create));
      });
    }
  });
}
