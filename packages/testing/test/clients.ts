import Groq from 'groq-sdk';
import OpenAI from 'openai';
import { onTestFinished } from 'vitest';
import { SimulatedProvider, type SimulatedProviderOptions } from '../src/index.ts';

export interface Clients {
  readonly sim: SimulatedProvider;
  readonly openai: OpenAI;
  readonly groq: Groq;
}

/** A simulated provider for one test, with the official clients pointed at it. They do not retry. */
export async function start(options: SimulatedProviderOptions = {}): Promise<Clients> {
  const sim = await SimulatedProvider.start(options);
  onTestFinished(() => sim.close());
  const common = { apiKey: 'test-key', maxRetries: 0, logLevel: 'off' } as const;
  return {
    sim,
    openai: new OpenAI({ ...common, baseURL: sim.openaiBaseURL }),
    groq: new Groq({ ...common, baseURL: sim.groqBaseURL }),
  };
}

/** What every chat request has. */
export interface Ask {
  model: string;
  messages: { role: 'user'; content: string }[];
}

/** The shortest useful request. */
export function ask(content: string, model = 'gpt-4o-mini'): Ask {
  return { model, messages: [{ role: 'user', content }] };
}

/** Everything that an iterable yields. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** Posts a chat without any SDK. */
export function post(
  sim: SimulatedProvider,
  body: unknown,
  provider = 'openai',
  init: RequestInit = {},
): Promise<Response> {
  const url = provider === 'openai' ? sim.openaiBaseURL : `${sim.groqBaseURL}/openai/v1`;
  return fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer key', 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
  });
}

/** What the SDKs' errors and Node's have in common. */
export interface Failure extends Error {
  readonly status?: number;
  readonly code?: string;
  readonly type?: string;
  readonly error?: unknown;
  readonly headers?: Headers;
}

/** The error that a call ends with. */
export async function failure(call: PromiseLike<unknown>): Promise<Failure> {
  try {
    await call;
  } catch (error) {
    return error as Failure;
  }
  throw new Error('The call did not fail.');
}
