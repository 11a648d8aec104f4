import type { IncomingMessage } from 'node:http';
import type { Clock, IdSource } from '@synapsekit/core';
import { sequentialIds } from '../sequential-ids.ts';
import { RequestRecord, redactHeaders, type SimulatedRequest } from './simulated-request.ts';

/** Reads requests as they come in and keeps the newest ones. */
export class RequestLog {
  readonly #maxRecords: number;
  readonly #clock: Clock;
  readonly #requestIds: IdSource = sequentialIds('req');
  #records: RequestRecord[] = [];
  #count = 0;

  constructor(maxRecords: number, clock: Clock) {
    this.#maxRecords = maxRecords;
    this.#clock = clock;
  }

  get records(): readonly SimulatedRequest[] {
    return this.#records;
  }

  /** Logs a request once it is read in full; `undefined` when its client went away before that. */
  async open(request: IncomingMessage): Promise<RequestRecord | undefined> {
    const body = await readBody(request).catch(() => undefined);
    if (body === undefined) return undefined;
    const path = (request.url ?? '/').replace(/\?.*$/, '');
    this.#count += 1;
    const record = new RequestRecord({
      index: this.#count,
      requestId: this.#requestIds(),
      provider: path.startsWith('/openai/') ? 'groq' : 'openai',
      method: request.method ?? 'GET',
      path,
      headers: redactHeaders(request.headers),
      body: parsed(body),
      atMs: this.#clock.now(),
    });
    this.#records.push(record);
    if (this.#records.length > this.#maxRecords) this.#records.shift();
    return record;
  }

  clear(): void {
    this.#records = [];
    this.#count = 0;
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

function parsed(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
