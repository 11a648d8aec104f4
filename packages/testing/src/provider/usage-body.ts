import type { BilledTokens } from './bill.ts';
import type { ProviderName } from './model.ts';

/** The `usage` object of an answer, with the details that each provider gives. */
export function usageBody(provider: ProviderName, usage: BilledTokens, reasoning: boolean): object {
  const { inputTokens, outputTokens, cachedInputTokens, reasoningTokens } = usage;
  const counts = {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
  };
  if (provider === 'openai') {
    return {
      ...counts,
      prompt_tokens_details: { cached_tokens: cachedInputTokens, audio_tokens: 0 },
      completion_tokens_details: {
        reasoning_tokens: reasoningTokens,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    };
  }
  // Groq times its work, here at made-up but steady speeds, and gives details only where there are any.
  const promptSeconds = inputTokens / 20_000;
  const completionSeconds = outputTokens / 500;
  return {
    ...counts,
    queue_time: 0.001,
    prompt_time: promptSeconds,
    completion_time: completionSeconds,
    total_time: promptSeconds + completionSeconds,
    ...(cachedInputTokens > 0 && { prompt_tokens_details: { cached_tokens: cachedInputTokens } }),
    ...(reasoning && { completion_tokens_details: { reasoning_tokens: reasoningTokens } }),
  };
}
