import type { TokenCounts } from '../usage.ts';
import { asCount, asObject, type JsonObject } from './json.ts';

/**
 * Token counts of an answer or of a stream's last chunk, in our one convention (cached within input, reasoning
 * within output); `undefined` where the provider tells none.
 *
 * OpenAI and Groq count that way themselves; Groq's streams carry the counts in `x_groq.usage`. Hosts that keep
 * reasoning out of `completion_tokens` give themselves away by their total. Counts that contradict each other are
 * cut to what is possible: usage that nothing downstream accepts would lose the whole amount.
 */
export function readUsage(body: JsonObject): TokenCounts | undefined {
  const usage = asObject(body.usage) ?? asObject(asObject(body.x_groq)?.usage);
  if (usage === undefined) return undefined;
  const inputTokens = asCount(usage.prompt_tokens);
  const completionTokens = asCount(usage.completion_tokens);
  if (inputTokens === undefined || completionTokens === undefined) return undefined;

  const input = asObject(usage.prompt_tokens_details) ?? {};
  const output = asObject(usage.completion_tokens_details) ?? {};
  const thought = asCount(output.reasoning_tokens);
  const apart = thought !== undefined && usage.total_tokens === inputTokens + completionTokens + thought;
  const outputTokens = apart ? completionTokens + thought : completionTokens;

  const cached = atMost(asCount(input.cached_tokens) ?? asCount(usage.prompt_cache_hit_tokens), inputTokens);
  const written = atMost(asCount(input.cache_write_tokens), inputTokens - (cached ?? 0));
  return {
    inputTokens,
    outputTokens,
    ...present('cachedInputTokens', cached),
    ...present('cacheWriteTokens', written),
    ...present('reasoningTokens', atMost(thought, outputTokens)),
    ...present('inputAudioTokens', atMost(asCount(input.audio_tokens), inputTokens)),
    ...present('outputAudioTokens', atMost(asCount(output.audio_tokens), outputTokens)),
  };
}

function atMost(count: number | undefined, whole: number): number | undefined {
  return count === undefined ? undefined : Math.min(count, whole);
}

/** Details of zero tokens say nothing. */
function present(name: keyof TokenCounts, count: number | undefined): Partial<TokenCounts> {
  return count === undefined || count === 0 ? {} : { [name]: count };
}
