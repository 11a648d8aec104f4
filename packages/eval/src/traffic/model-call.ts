import type { AttemptIdentity } from '@synapsekit/core';
import type { ProviderFinder } from '../relay/provider-of-host.ts';
import { asList, asObject, asText, type JsonObject } from './json.ts';
import type { WireRequest } from './wire-request.ts';

/** A request that a provider bills by tokens, as far as its cost can be told before it is sent. */
export interface ModelCall {
  readonly endpoint: Endpoint;
  /** `undefined` for a host that nobody knows: then the model's id alone has to tell its price. */
  readonly provider: string | undefined;
  readonly model: string;
  readonly stream: boolean;
  readonly serviceTier: string | undefined;
  /** The most tokens that its prompt can have; `undefined` where only the context window bounds it. */
  readonly inputTokens: number | undefined;
  /** The most tokens that one answer may have; `undefined` where the request names no limit. */
  readonly outputTokens: number | undefined;
  /** How many answers it asks for. */
  readonly answers: number;
  /** Why no worst case can be told; `undefined` where one can. */
  readonly unbounded: string | undefined;
}

/** What a request means for a budget. */
export type TrafficKind =
  | { readonly kind: 'model'; readonly call: ModelCall }
  /** Nobody bills it by tokens. */
  | { readonly kind: 'free' }
  /** Nobody knows. */
  | { readonly kind: 'unknown'; readonly why: string; readonly provider: string | undefined };

/** The shapes that are understood. */
export type Endpoint = 'chat' | 'responses' | 'embeddings' | 'completions';

const endpoints: readonly (readonly [ending: RegExp, endpoint: Endpoint])[] = [
  [/\/chat\/completions$/, 'chat'],
  [/\/responses$/, 'responses'],
  [/\/embeddings$/, 'embeddings'],
  [/\/completions$/, 'completions'],
];

/** Whether a path is one of them, wherever it is: a gateway may be in front of the provider. */
export function isModelPath(path: string): boolean {
  return endpoints.some(([ending]) => ending.test(path)) || /\/messages$/.test(path);
}

const free: TrafficKind = { kind: 'free' };

/**
 * Tells what a request is.
 *
 * @param attempt the adapter's attempt that sends it, if one does: it knows its provider.
 */
export function classify(
  request: WireRequest,
  providerOf: ProviderFinder,
  attempt?: AttemptIdentity,
): TrafficKind {
  const { method, url } = request;
  // Reading costs no tokens: lists of models, answers that were paid for before.
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || method === 'DELETE') return free;
  const path = url.pathname.replace(/\/+$/, '');
  const endpoint = endpoints.find(([ending]) => ending.test(path))?.[1];
  const body = asObject(request.body?.json);
  const provider = attempt?.provider ?? providerOf(url);
  if (endpoint === undefined) {
    if (provider === 'openai' && /\/(moderations|responses\/input_tokens)$/.test(path)) return free;
    return {
      kind: 'unknown',
      provider,
      why: `${method} ${url.host}${path} is no call whose cost can be bounded`,
    };
  }
  const model = asText(body?.model);
  if (body === undefined || model === undefined) {
    return { kind: 'unknown', provider, why: `${method} ${url.host}${path} names no model` };
  }
  return { kind: 'model', call: { endpoint, provider, model, ...readShape(endpoint, body, request) } };
}

/**
 * What one image can count as: gpt-4o-mini bills a large one as 48,169 tokens, more than any other model
 * (OpenAI's published tables).
 */
const tokensPerImage = 48_169;

function readShape(
  endpoint: Endpoint,
  body: JsonObject,
  request: WireRequest,
): Omit<ModelCall, 'endpoint' | 'provider' | 'model'> {
  const parts = countParts(endpoint === 'responses' ? body.input : body.messages);
  // What lies at the provider: its length is not known here.
  const references = [body.previous_response_id, body.conversation, body.prompt];
  const referred =
    parts.files > 0 || (endpoint === 'responses' && references.some((reference) => reference != null));
  // No tokenizer in use makes more than one token of a byte, and JSON is longer than what becomes of it.
  const bytes = request.body?.bytes ?? 0;
  const inputTokens = bytes + parts.images * tokensPerImage;
  // Of two limits nobody knows which one counts.
  const limits = [body.max_completion_tokens, body.max_output_tokens, body.max_tokens].map(asWhole);
  const limit = limits.reduce((most, each) => (most === undefined ? each : Math.max(most, each ?? 0)));
  const predicted = body.prediction === undefined || body.prediction === null ? 0 : bytes;
  const outputTokens = endpoint === 'embeddings' ? 0 : limit;
  return {
    stream: body.stream === true,
    serviceTier: asText(body.service_tier),
    inputTokens: referred ? undefined : inputTokens,
    outputTokens: outputTokens === undefined ? undefined : outputTokens + predicted,
    answers: Math.max(asWhole(body.n) ?? 1, asWhole(body.best_of) ?? 1) * promptCount(endpoint, body),
    unbounded: whyUnbounded(endpoint, body, parts.audio),
  };
}

/** Tools that the provider runs itself, and bills by the call. */
function whyUnbounded(endpoint: Endpoint, body: JsonObject, audio: boolean): string | undefined {
  const hosted = asList(body.tools)
    .map((tool) => asText(asObject(tool)?.type))
    .filter((type) => type !== 'function' && type !== 'custom');
  if (hosted.length > 0) return `it lets the provider use ${hosted.join(', ')}, which is billed by use`;
  if (body.web_search_options !== undefined)
    return 'it lets the provider search the web, which is billed by use';
  if (body.background === true) return 'it runs in the background, and its cost is not in its answer';
  const spoken = asList(body.modalities).some((modality) => modality !== 'text');
  if (audio || spoken)
    return 'it has sound or pictures in it or asks for them, whose tokens cannot be bounded';
  if (endpoint === 'chat' && !Array.isArray(body.messages)) return 'it has no messages';
  const model = asText(body.model) ?? '';
  // Systems that search and run code on their own, several models at a time.
  if (endpoint !== 'embeddings' && /(^|\/)compound|deep-research|-search(-|$)/.test(model)) {
    return `${model} works with tools of its own, which are billed by use`;
  }
  return undefined;
}

/** Texts of a batch are answered one by one. */
function promptCount(endpoint: Endpoint, body: JsonObject): number {
  if (endpoint !== 'completions' || !Array.isArray(body.prompt)) return 1;
  const prompts = asList(body.prompt).filter((prompt) => typeof prompt !== 'number');
  return Math.max(1, prompts.length);
}

interface Parts {
  images: number;
  files: number;
  audio: boolean;
}

/** What in messages is no text. */
function countParts(messages: unknown): Parts {
  const parts: Parts = { images: 0, files: 0, audio: false };
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) {
      for (const each of value) walk(each);
      return;
    }
    const object = asObject(value);
    if (object === undefined) return;
    const type = asText(object.type) ?? '';
    if (/image|screenshot/.test(type)) parts.images++;
    else if (/file|item_reference|video|document/.test(type)) parts.files++;
    else if (/audio/.test(type) || object.audio !== undefined) parts.audio = true;
    if (object.content !== undefined) walk(object.content);
    if (object.output !== undefined) walk(object.output);
  };
  walk(messages);
  return parts;
}

/** A number of something; a fraction or a text is none, and the provider will say so. */
function asWhole(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined;
}
