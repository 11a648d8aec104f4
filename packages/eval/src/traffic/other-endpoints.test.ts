import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseUsd, usdDecimal } from '@synapsekit/core';
import { ManualClock, type SimulatedModel } from '@synapsekit/testing';
import { ModelLedger } from '@synapsekit/testing/contracts';
import OpenAI from 'openai';
import { expect, test } from 'vitest';
import { simulatedPrices } from '../../test/simulated-prices.ts';
import { contextOf } from '../../test/traffic-run.ts';
import { CostMeter } from '../cost-meter.ts';
import { ProviderTraffic } from './provider-traffic.ts';

const embedder: SimulatedModel = {
  provider: 'openai',
  id: 'embedder',
  inputUsdPerMillion: '0.02',
  outputUsdPerMillion: 0,
};

const usage = { input_tokens: 30, output_tokens: 12, total_tokens: 42 };
const response = {
  id: 'resp_1',
  object: 'response',
  status: 'completed',
  model: 'gpt-4o-2024-08-06',
  output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Paris.' }] }],
  usage,
};

/** The endpoints that the simulated provider does not have. */
async function openServer(): Promise<{ baseURL: string; requests: string[] } & AsyncDisposable> {
  const requests: string[] = [];
  const server = createServer(async (request, reply) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    requests.push(request.url ?? '');
    const { stream } = JSON.parse(body) as { stream?: boolean };
    if (request.url === '/v1/embeddings') {
      const data = [
        {
          object: 'embedding',
          index: 0,
          embedding: Buffer.from(new Float32Array([1, 2]).buffer).toString('base64'),
        },
      ];
      reply.setHeader('content-type', 'application/json');
      reply.end(
        JSON.stringify({
          object: 'list',
          model: 'embedder',
          data,
          usage: { prompt_tokens: 9, total_tokens: 9 },
        }),
      );
    } else if (stream === true) {
      reply.setHeader('content-type', 'text/event-stream');
      const event = (type: string, more: object): string =>
        `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
      reply.write(
        event('response.created', { response: { ...response, status: 'in_progress', usage: null } }),
      );
      reply.write(event('response.output_text.delta', { delta: 'Paris.' }));
      reply.end(event('response.completed', { response }));
    } else {
      reply.setHeader('content-type', 'application/json');
      reply.end(JSON.stringify(response));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

test('responses and embeddings are measured and bounded as chats are', async () => {
  await using server = await openServer();
  const ledger = new ModelLedger(new ManualClock());
  const traffic = new ProviderTraffic({
    prices: simulatedPrices([embedder]),
    budget: { limitUsd: '0.01', ledger },
  });
  const client = new OpenAI({ baseURL: server.baseURL, apiKey: 'any', fetch: traffic.fetch });
  const meter = new CostMeter();
  const context = contextOf();
  const vector = await meter.run(() =>
    traffic.run(context, async () => {
      const whole = await client.responses.create({
        model: 'gpt-4o',
        input: 'Capital?',
        max_output_tokens: 20,
      });
      expect(whole.output_text).toBe('Paris.');
      const stream = await client.responses.create({
        model: 'gpt-4o',
        input: 'Capital?',
        max_output_tokens: 20,
        stream: true,
      });
      const types: string[] = [];
      for await (const { type } of stream) types.push(type);
      expect(types).toEqual(['response.created', 'response.output_text.delta', 'response.completed']);
      const { data } = await client.embeddings.create({ model: 'embedder', input: 'Grüße' });
      return data[0]?.embedding;
    }),
  );
  await meter.idle();
  meter.close();
  expect(vector).toEqual([1, 2]);
  const expected = 2n * (30n * 2_500_000n + 12n * 10_000_000n) + 9n * 20_000n;
  expect(meter.cost).toEqual({ pico: expected, calls: 3, estimatedCalls: 0, missingCalls: 0, missing: [] });
  expect(meter.attempts.map(({ outcome }) => outcome)).toEqual(['served', 'served', 'served']);
  expect(traffic.report(context)).toMatchObject({ requests: 3, billedUsd: usdDecimal(expected) });

  // What is left does not cover an answer of this length: nothing is sent.
  const other = contextOf({ name: 'b' });
  await traffic.run(other, () =>
    expect(
      client.responses.create({ model: 'gpt-4o', input: 'Essay!', max_output_tokens: 1_000 }),
    ).rejects.toThrow(/budget/),
  );
  expect(traffic.report(other)?.stop?.kind).toBe('budget');
  await traffic.close();
  expect(server.requests).toHaveLength(3);
  const [status] = ledger.status([{ key: 'eval-run', window: { id: 'total' } }]);
  expect(status).toMatchObject({ committed: expected, held: 0n });
  expect(expected).toBeLessThan(parseUsd('0.01'));
});
