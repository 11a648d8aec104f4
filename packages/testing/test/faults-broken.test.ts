import { expect, test } from 'vitest';
import { type ExchangeOutcome, type ExchangePoint, type Fault, faults } from '../src/index.ts';
import { all, ask, type Failure, failure, post, start } from './clients.ts';

const question = ask('What is 2 + 2?'); // its answer is 8 tokens long
const stream = { ...question, stream: true } as const;

/** The innermost cause that has a code: what the socket said. */
function code(error: unknown): string | undefined {
  const { cause, code: own } = error as Failure & { cause?: unknown };
  return cause === undefined ? own : (code(cause) ?? own);
}

test('a dropped connection never reaches the model, a reset one does', async () => {
  const { sim, openai } = await start();
  sim.fail(faults.dropped());
  const dropped = await failure(openai.chat.completions.create(question));
  expect([dropped.constructor.name, code(dropped)]).toEqual([
    'APIConnectionError',
    expect.stringMatching(/ECONNRESET|UND_ERR_SOCKET/),
  ]);
  expect(sim.bill.entries).toEqual([]);
  sim.fail(faults.reset());
  const reset = await failure(openai.chat.completions.create(question));
  expect(code(reset)).toMatch(/ECONNRESET|UND_ERR_SOCKET/);
  expect(sim.bill.entries).toMatchObject([{ reason: 'cut', inputTokens: 15, outputTokens: 8 }]);
  expect(sim.requests.map(({ outcome, aborted, status }) => [outcome, aborted, status])).toEqual([
    ['cut', false, undefined],
    ['cut', false, undefined],
  ]);
});

test('refused connections are really refused, on the same port, until their end', async () => {
  const { sim, openai, groq } = await start();
  await openai.chat.completions.create(question); // leaves an idle connection behind
  const { port } = sim;
  {
    await using _ = sim.refuseConnections();
    const calls = [openai.chat.completions.create(question), groq.chat.completions.create(question)];
    for (const error of await Promise.all(calls.map((call) => failure(call)))) {
      expect(code(error)).toMatch(/ECONNREFUSED|ECONNRESET|UND_ERR_SOCKET/);
    }
    expect(code(await failure(openai.chat.completions.create(question)))).toBe('ECONNREFUSED');
  }
  expect(sim.port).toBe(port);
  expect((await openai.chat.completions.create(question)).choices).toHaveLength(1);
  expect(sim.requests).toHaveLength(2);
});

test('requests that are running go on while new ones are refused', async () => {
  const { sim } = await start({ latencyMs: 50 });
  const running = post(sim, question);
  await expect.poll(() => sim.requests.length, { interval: 2 }).toBe(1);
  const refused = sim.refuseConnections();
  expect((await running).status).toBe(200);
  await refused.end();
  await refused.end();
  expect((await post(sim, question)).status).toBe(200);
});

test('a plain answer is cut in the middle, or shorter than its length says', async () => {
  const { sim, openai } = await start();
  for (const fault of [faults.shortBody(), faults.reset('midway'), faults.reset('content')]) {
    sim.fail(fault);
    const response = await post(sim, question);
    expect([response.status, response.headers.has('content-length')]).toEqual([200, true]);
    expect((await failure(response.text())).message).toBe('terminated');
  }
  sim.fail(faults.shortBody());
  expect((await failure(openai.chat.completions.create(question))).message).toMatch(
    /terminated|Connection error|Premature/i,
  );
  expect(sim.requests.every(({ outcome }) => outcome === 'cut')).toBe(true);
  expect(sim.bill.entries.map(({ reason, outputTokens }) => [reason, outputTokens])).toEqual(
    Array(4).fill(['cut', 8]),
  );
});

test('a stream is reset after so many deltas, and they arrive', async () => {
  const { sim, openai, groq } = await start();
  const atGroq = { ...stream, model: 'llama-3.1-8b-instant' };
  for (const ask of [
    () => openai.chat.completions.create(stream),
    () => groq.chat.completions.create(atGroq),
  ]) {
    sim.fail(faults.resetAfter(3));
    let text = '';
    const reading = async (): Promise<void> => {
      for await (const chunk of await ask()) text += chunk.choices[0]?.delta.content ?? '';
    };
    const error = await failure(reading());
    expect([error.constructor.name, error.message]).toEqual(['TypeError', 'terminated']);
    expect(text).toBe('2 + ');
  }
  expect(
    sim.bill.entries.map(({ provider, reason, outputTokens }) => [provider, reason, outputTokens]),
  ).toEqual([
    ['openai', 'cut', 3],
    ['groq', 'cut', 3],
  ]);
  expect(sim.requests[0]?.sentText).toBe('2 + ');
});

test('a stream that ends early looks complete to the clients; a hang-up does not', async () => {
  const { sim, openai } = await start();
  sim.fail(faults.endAfter(2));
  const chunks = await all(await openai.chat.completions.create(stream));
  expect(chunks.map(({ choices }) => choices[0]?.delta.content).join('')).toBe('2 +');
  expect(chunks.some(({ choices }) => choices[0]?.finish_reason)).toBe(false);
  sim.fail(faults.hangUpAfter(2));
  expect((await failure(openai.chat.completions.create(stream).then(all))).message).toBe('terminated');
  sim.fail(faults.endAfter(1_000));
  const text = await (await post(sim, stream)).text();
  expect(text).toContain('"content":"4"');
  expect(text).not.toContain('"finish_reason":"stop"');
  expect(text).not.toContain('[DONE]');
});

test.for<[ExchangePoint, object, number | undefined, string, number]>([
  ['arrival', question, undefined, '', 0],
  ['headers', question, undefined, '', 8],
  ['content', question, 200, '', 8],
  ['midway', question, 200, '', 8],
  ['headers', stream, undefined, '', 0],
  ['content', stream, 200, '', 0],
  ['midway', stream, 200, '2 + 2', 4],
  [3, stream, 200, '2 + ', 3],
])('a stall at %s holds until the client leaves', async ([at, body, status, sentText, outputTokens]) => {
  const { sim } = await start();
  sim.fail(faults.stall(at));
  const leaving = new AbortController();
  const call = failure(
    post(sim, body, 'openai', { signal: leaving.signal }).then((response) => response.text()),
  );
  await expect.poll(() => sim.requests[0], { interval: 2 }).toMatchObject({ status, sentText });
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(sim.requests[0]?.outcome).toBe('running');
  leaving.abort();
  expect((await call).name).toBe('AbortError');
  await sim.idle();
  expect(sim.requests[0]).toMatchObject({ outcome: 'aborted', aborted: true, status, sentText });
  if (at === 'arrival') expect(sim.bill.entries).toEqual([]);
  else expect(sim.bill.entries).toMatchObject([{ reason: 'cut', inputTokens: 15, outputTokens }]);
});

test('a stall can be over after a while', async () => {
  const { sim } = await start();
  for (const at of ['arrival', 'headers', 'content', 'midway', 2] as const) {
    for (const body of [question, stream]) {
      sim.fail(faults.stall(at, 5));
      expect(await (await post(sim, body)).text()).toContain('stop');
    }
  }
  expect(sim.requests.every(({ outcome }) => outcome === 'answered')).toBe(true);
  expect(
    sim.bill.entries.every(({ reason, outputTokens }) => reason === 'complete' && outputTokens === 8),
  ).toBe(true);
});

test('a close breaks what is stalled', async () => {
  const { sim } = await start();
  sim.fail(faults.stall('content'));
  const response = await post(sim, question);
  const reading = failure(response.text());
  await sim.close();
  expect((await reading).message).toBe('terminated');
});

test.for<[string, Fault, object, ExchangeOutcome]>([
  ['a dripping plain answer', faults.drip(50, 0.1), question, 'answered'],
  [
    'a dripping stream',
    faults.drip(61, 0.1),
    { ...ask('Tell me about naïve 👩‍👩‍👧 emoji.'), stream: true },
    'answered',
  ],
  ['a dripping error', { ...faults.drip(20, 0.1), ...faults.serverError() }, question, 'refused'],
])('%s arrives whole', async ([, fault, body, outcome]) => {
  const { sim } = await start();
  const plain = await (await post(sim, body)).text();
  sim.fail(fault);
  const dripped = await (await post(sim, body)).text();
  if (outcome === 'answered') expect(dripped.replaceAll('-2"', '-1"')).toBe(plain);
  else expect(JSON.parse(dripped)).toMatchObject({ error: { type: 'server_error' } });
  expect(sim.requests[1]?.outcome).toBe(outcome);
});

const groqStream = { ...ask('What is 2 + 2?', 'llama-3.1-8b-instant'), stream: true } as const;

test('an error event in the stream has the shape of the provider', async () => {
  const { sim, openai, groq } = await start();
  sim.fail(faults.errorAfter(2));
  const error = await failure(openai.chat.completions.create(stream).then(all));
  expect([error.constructor.name, error.status, error.type]).toEqual(['APIError', undefined, 'server_error']);
  sim.fail(faults.errorAfter(2, 'overloaded'));
  const groqs = await failure(groq.chat.completions.create(groqStream).then(all));
  expect([groqs.constructor.name, groqs.status, groqs.code]).toEqual(['APIError', undefined, undefined]);
  expect(groqs.error).toMatchObject({ type: 'internal_server_error', status_code: 503 });

  sim.fail(faults.errorAfter(1, { message: 'own', type: 'own_type', code: 'own_code' }), { times: 2 });
  const openaiText = await (await post(sim, stream)).text();
  expect(openaiText.trimEnd().split('\n\n').at(-1)).toBe(
    'data: {"error":{"message":"own","type":"own_type","param":null,"code":"own_code"}}',
  );
  const groqText = await (await post(sim, groqStream, 'groq')).text();
  expect(groqText.trimEnd().split('\n\n').at(-1)).toBe(
    'event: error\ndata: {"error":{"message":"own","type":"own_type","code":"own_code","status_code":500}}',
  );
  expect(sim.bill.entries.map(({ reason, outputTokens }) => [reason, outputTokens])).toEqual([
    ['cut', 2],
    ['cut', 2],
    ['cut', 1],
    ['cut', 1],
  ]);
});

test('an answer in one piece becomes the error, unbilled', async () => {
  const { sim, openai } = await start();
  sim.fail(faults.errorAfter(2));
  expect(await failure(openai.chat.completions.create(ask('x')))).toMatchObject({
    status: 500,
    type: 'server_error',
  });
  expect(sim.requests[0]?.outcome).toBe('refused');
  expect(sim.bill.entries).toEqual([]);
});

test('parts of the answer can be missing; it is billed all the same', async () => {
  const { sim, openai, groq } = await start();
  sim.fail(faults.missingUsage(), { times: 3 });
  expect(await openai.chat.completions.create(ask('What is 2 + 2?'))).not.toHaveProperty('usage');
  const counted = { ...stream, stream_options: { include_usage: true } };
  const chunks = await all(await openai.chat.completions.create(counted));
  expect(chunks.every(({ choices, usage }) => choices.length === 1 && usage === null)).toBe(true);
  const atGroq = await all(await groq.chat.completions.create(groqStream));
  expect(atGroq.at(-1)?.x_groq).not.toHaveProperty('usage');

  sim.fail(faults.missingFinishReason(), { times: 2 });
  expect((await openai.chat.completions.create(ask('x'))).choices[0]?.finish_reason).toBeNull();
  const endless = await all(await openai.chat.completions.create(stream));
  expect(endless.every(({ choices }) => choices[0]?.finish_reason === null)).toBe(true);

  sim.fail(faults.missingDone());
  const text = await (await post(sim, stream)).text();
  expect(text).toContain('"finish_reason":"stop"');
  expect(text).not.toContain('[DONE]');
  expect(sim.bill.entries.every(({ reason }) => reason === 'complete')).toBe(true);
  expect(sim.bill.entries).toHaveLength(6);
});

test('keep-alives and empty deltas change nothing but the traffic', async () => {
  const { sim, openai } = await start();
  sim.fail({ ...faults.emptyDeltas(2), noise: { comments: 3, emptyDeltas: 2 } }, { times: 2 });
  const text = await (await post(sim, stream)).text();
  expect(text.match(/^: keep-alive$/gm)).toHaveLength(8 * 3);
  expect(text.match(/"delta":\{"content":""\}/g)).toHaveLength(8 * 2);
  const chunks = await all(await openai.chat.completions.create(stream));
  expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('2 + 2 = 4.');
  expect(sim.bill.entries.map(({ outputTokens }) => outputTokens)).toEqual([8, 8]);
});

test('faults combine', async () => {
  const { sim, openai } = await start();
  sim.fail({ ...faults.keepAlives(2), ...faults.resetAfter(1), headers: { 'x-proxy': 'yes' } });
  const { data, response } = await openai.chat.completions.create(stream).withResponse();
  expect(response.headers.get('x-proxy')).toBe('yes');
  expect((await failure(all(data))).message).toBe('terminated');
});

test('tool calls are cut within their arguments', async () => {
  const { sim } = await start({
    answers: () => ({ toolCalls: [{ name: 'find', arguments: { city: 'Berlin' } }] }),
  });
  sim.fail(faults.endAfter(4));
  const text = await (await post(sim, stream)).text();
  const deltas = text.split('\n\n').filter((event) => event.includes('"tool_calls"'));
  expect(deltas).toHaveLength(4);
  const [entry] = sim.bill.entries;
  expect(entry?.reason).toBe('cut');
  expect(entry?.outputTokens).toBe(4); // the name, and three pieces of the arguments
});

test('a client that leaves while the answer drips is noticed', async () => {
  const { sim } = await start();
  sim.fail(faults.drip(5, 5));
  const response = await post(sim, question);
  await response.body?.cancel();
  await sim.idle();
  expect(sim.requests[0]).toMatchObject({ outcome: 'aborted', billed: { reason: 'cut', outputTokens: 8 } });
});
