import { chatTexts, type ValidChat } from './chat.ts';
import type { ServedModel } from './model.ts';
import type { ModelCatalog } from './model-catalog.ts';
import { promptTokens } from './prompt-tokens.ts';
import { knownError, Refusal } from './provider-error.ts';
import { refuseAtGroq, refuseReasoningParameters, refuseWrongBody } from './refuse.ts';
import type { SimulatedRequest } from './simulated-request.ts';
import type { Tokenizer } from './tokenizer.ts';
import type { WireBody } from './wire.ts';

/**
 * Reads a chat request as its provider does.
 *
 * @throws Refusal with the provider's own error for what the provider would not accept.
 */
export function readChat(request: SimulatedRequest, catalog: ModelCatalog, tokenizer: Tokenizer): ValidChat {
  const { provider } = request;
  const body = refuseWrongBody(request.body, provider);
  const served = findModel(request, catalog, body.model);
  if (provider === 'groq') refuseAtGroq(body);
  else if (served.reasoning) refuseReasoningParameters(body);

  const input = promptTokens(body, tokenizer);
  const asked = body.max_completion_tokens ?? body.max_tokens ?? undefined;
  refuseTooLong(served, input, asked);
  return {
    provider,
    model: body.model,
    messages: body.messages,
    ...chatTexts(body.messages),
    body,
    request,
    served,
    promptTokens: input,
    maxTokens: Math.min(asked ?? served.maxOutputTokens, served.contextWindow - input),
    stop: [body.stop ?? []].flat(),
    stream: body.stream === true,
    includeUsage: body.stream_options?.include_usage === true,
    serviceTier: serviceTier(body, provider),
    topLogprobs: body.logprobs === true ? (body.top_logprobs ?? 0) : undefined,
  };
}

function findModel(request: SimulatedRequest, catalog: ModelCatalog, id: string): ServedModel {
  const model = catalog.find(request.provider, id);
  if (model === undefined) throw knownError('model_not_found', request.provider, id);
  const { shutdownDate } = model;
  const dayMs = 86_400_000;
  if (shutdownDate !== undefined && request.atMs >= Date.parse(shutdownDate) + dayMs) {
    throw knownError('model_decommissioned', request.provider, id);
  }
  return model;
}

function refuseTooLong({ provider, id, ...model }: ServedModel, input: number, asked?: number): void {
  if (asked !== undefined && asked > model.maxOutputTokens) {
    throw new Refusal(400, {
      message: `max_tokens is too large: ${asked}. This model supports at most ${model.maxOutputTokens} completion tokens.`,
      type: 'invalid_request_error',
      param: 'max_tokens',
      ...(provider === 'openai' && { code: 'invalid_value' }),
    });
  }
  // Prompt and answer share the window, and at least one token has to fit.
  if (input + (asked ?? 1) > model.contextWindow) throw knownError('context_length_exceeded', provider, id);
}

/** The tier that the answer names: the one asked for, or the provider's ordinary one. */
function serviceTier({ service_tier: asked }: WireBody, provider: string): string {
  if (asked !== undefined && asked !== null && asked !== 'auto') return asked;
  return provider === 'openai' ? 'default' : 'on_demand';
}
