/**
 * A process or a thread that knows nothing of the run that started it, and asks a model as it was told:
 * `{ url, via, prompt, maxTokens }` as JSON in its last argument. Prints, or posts, what came of it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { request } from 'node:http';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import OpenAI from 'openai';

const order = isMainThread ? JSON.parse(process.argv.at(-1)) : workerData;
const { url, via, prompt = 'Hello', maxTokens = 40, times = 1 } = order;
const asking = { model: 'gpt-4o', max_tokens: maxTokens, messages: [{ role: 'user', content: prompt }] };

const ways = {
  async fetch() {
    const response = await fetch(`${url}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer any' },
      body: JSON.stringify(asking),
    });
    const body = await response.json();
    return response.ok
      ? body.choices[0].message.content
      : `${response.status} ${body.error.code}: ${body.error.message}`;
  },
  async sdk() {
    const client = new OpenAI({ baseURL: url, apiKey: 'any', maxRetries: 0 });
    return (await client.chat.completions.create(asking)).choices[0].message.content;
  },
  async stream() {
    const client = new OpenAI({ baseURL: url, apiKey: 'any', maxRetries: 0 });
    const stream = await client.chat.completions.create({
      ...asking,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? '';
    return text;
  },
  http: () =>
    new Promise((resolve) => {
      const sent = request(`${url}/chat/completions`, { method: 'POST' }, () => resolve('answered'));
      sent.on('error', (error) => resolve(error.message));
      sent.end(JSON.stringify(asking));
    }),
  /** Leaves in the middle of a stream. */
  async leave() {
    const client = new OpenAI({ baseURL: url, apiKey: 'any', maxRetries: 0 });
    const stream = await client.chat.completions.create({ ...asking, stream: true });
    for await (const _ of stream) break;
    return 'left';
  },
  /** Sees the status, and wants no more. */
  async cancel() {
    const response = await fetch(`${url}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer any' },
      body: JSON.stringify({ ...asking, stream: true }),
    });
    await response.body.cancel();
    return 'cancelled';
  },
  /** A process of a process. */
  child: () =>
    new Promise((resolve) => {
      const child = spawn(
        process.execPath,
        [import.meta.filename, JSON.stringify({ ...order, via: 'fetch', times: 1 })],
        {
          env: { PATH: process.env.PATH },
        },
      );
      let text = '';
      child.stdout.on('data', (data) => {
        text += data;
      });
      child.on('close', () => resolve(text.trim()));
    }),
  thread: () =>
    new Promise((resolve) => {
      new Worker(import.meta.filename, { workerData: { ...order, via: 'fetch', times: 1 } }).on(
        'message',
        resolve,
      );
    }),
  /** It waits, and the run does not: that can be asked. */
  waited: async () =>
    spawnSync(process.execPath, [import.meta.filename, JSON.stringify({ ...order, via: 'fetch', times: 1 })])
      .stdout.toString()
      .trim(),
};

const answers = [];
for (let n = 0; n < times; n++)
  answers.push(
    await ways[via]().catch((error) => `${error.name}: ${error.message}, ${error.cause?.message}`),
  );
const said = answers.join('\n');
if (isMainThread) process.stdout.write(`${said}\n`);
else parentPort.postMessage(said);
