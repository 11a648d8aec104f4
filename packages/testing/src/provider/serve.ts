import type { IncomingHttpHeaders } from 'node:http';
import type { ValidChat } from './chat.ts';
import { type AnswerFacts, completionBody } from './completion-body.ts';
import { toRefusal } from './error-event.ts';
import type { Exchange } from './exchange.ts';
import type { FaultResponse } from './fault.ts';
import { type FinishedAnswer, finishAnswer } from './finished-answer.ts';
import { joinPieces } from './piece.ts';
import { errorBody, knownError, Refusal } from './provider-error.ts';
import { readChat } from './read-chat.ts';
import { sendStream } from './send-stream.ts';
import { sendWhole, type WholeAnswer } from './send-whole.ts';
import { wait } from './wait.ts';

const unbilled = (): void => undefined;

/** Serves one request from its arrival to its end. */
export async function serve(
  exchange: Exchange,
  authorization: IncomingHttpHeaders['authorization'],
): Promise<void> {
  const { parts, record, reply, fault } = exchange;
  if (!(await exchange.passes('arrival', 'whole', unbilled))) return;
  if (fault.respond !== undefined) {
    await wait(parts.clock, parts.latencyMs(record), reply.gone);
    return sendInstead(exchange, fault.respond);
  }
  try {
    checkKey(exchange, authorization);
    if (record.method === 'GET') return await sendModels(exchange);
    await sendChat(exchange);
  } catch (error) {
    if (!(error instanceof Refusal) || reply.started) throw error;
    exchange.refuse(error);
  }
}

async function sendChat(exchange: Exchange): Promise<void> {
  const { parts, record, reply } = exchange;
  const { path, method } = record;
  if (!path.endsWith('/chat/completions') || method !== 'POST') {
    throw new Refusal(404, {
      message: `There is nothing at ${method} ${path}: chat completions and models are simulated, nothing else.`,
      type: 'invalid_request_error',
      ...(record.provider === 'groq' && { code: 'unknown_url' }),
    });
  }
  const chat = readChat(record, parts.catalog, parts.tokenizer);
  const cached = parts.cache?.read(chat, parts.tokenizer) ?? 0;
  const scripted = await parts.answerFor(chat);
  const answer = finishAnswer(scripted, chat, cached, parts.tokenizer, parts.callIds);
  const facts = {
    id: parts.completionIds(),
    requestId: record.requestId,
    created: Math.floor(parts.clock.now() / 1_000),
  };
  await wait(parts.clock, parts.latencyMs(record), reply.gone);
  if (chat.stream) return sendStream(exchange, chat, answer, facts);
  const sending = whole(chat, answer, facts, exchange);
  return sendWhole(exchange, sending, (reason) => exchange.post(chat, answer.usage, reason));
}

function whole(
  chat: ValidChat,
  answer: FinishedAnswer,
  facts: AnswerFacts,
  { fault }: Exchange,
): WholeAnswer {
  return {
    status: 200,
    headers: { 'content-type': 'application/json', ...fault.headers },
    body: JSON.stringify(completionBody(chat, answer, facts, fault.omit ?? [])),
    tokens: chat.promptTokens,
    outcome: 'answered',
    sentText: joinPieces(answer.pieces).text,
  };
}

/** What a fault answers with in place of the model. */
function sendInstead(exchange: Exchange, respond: FaultResponse): Promise<void> {
  const { provider, model } = exchange.record;
  const refusal =
    respond.error === undefined ? undefined : toRefusal(respond.error, provider, model, respond.status);
  const json = respond.body ?? (refusal && errorBody(provider, refusal.facts));
  const text =
    typeof respond.body === 'string' ? respond.body : json === undefined ? '' : JSON.stringify(json);
  const type = typeof respond.body === 'string' ? 'text/plain; charset=utf-8' : 'application/json';
  return sendWhole(
    exchange,
    {
      status: respond.status ?? refusal?.status ?? 200,
      headers: { 'content-type': type, ...respond.headers },
      body: text,
      outcome: 'refused',
    },
    unbilled,
  );
}

function checkKey({ parts, record }: Exchange, authorization: string | undefined): void {
  const key = /^Bearer\s+(\S.*)$/i.exec(authorization ?? '')?.[1]?.trim();
  if (key === undefined) throw knownError('missing_api_key', record.provider);
  if (parts.apiKeys !== undefined && !parts.apiKeys.includes(key)) {
    throw knownError('invalid_api_key', record.provider);
  }
}

/** `GET …/models` and `GET …/models/ID`. */
function sendModels(exchange: Exchange): Promise<void> {
  const { parts, record } = exchange;
  const data = parts.catalog
    .of(record.provider)
    .map(({ id, contextWindow, maxOutputTokens, shutdownDate }) => ({
      id,
      object: 'model',
      created: 1_700_000_000,
      owned_by: record.provider,
      ...(record.provider === 'groq' && {
        active: true,
        context_window: contextWindow,
        max_completion_tokens: maxOutputTokens,
      }),
      ...(shutdownDate !== undefined && { shutdown_date: shutdownDate }),
    }));
  const id = /\/models(?:\/(.+))?$/.exec(record.path);
  if (id === null)
    throw new Refusal(404, {
      message: `There is nothing at GET ${record.path}: chat completions and models are simulated, nothing else.`,
      type: 'invalid_request_error',
    });
  const wanted = id[1] === undefined ? undefined : decodeURIComponent(id[1]);
  const body = wanted === undefined ? { object: 'list', data } : data.find((model) => model.id === wanted);
  if (body === undefined) throw knownError('model_not_found', record.provider, wanted);
  return sendWhole(
    exchange,
    {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      outcome: 'answered',
    },
    unbilled,
  );
}
