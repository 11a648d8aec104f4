import { expect, test } from 'vitest';
import { faults, ManualClock, seededRandom } from '../src/index.ts';
import { ask, failure, post, start } from './clients.ts';

const question = ask('What is 2 + 2?');
const groqQuestion = ask('What is 2 + 2?', 'llama-3.1-8b-instant');

test.for([
  ['rateLimited', 429, 'rate_limit_exceeded'],
  ['outOfQuota', 429, 'insufficient_quota'],
  ['serverError', 500, null],
  ['overloaded', 503, 'server_is_overloaded'],
  ['unauthorized', 401, 'invalid_api_key'],
  ['permissionDenied', 403, null],
  ['modelNotFound', 404, 'model_not_found'],
  ['modelDecommissioned', 404, 'model_not_found'],
  ['contextLengthExceeded', 400, 'context_length_exceeded'],
  ['contentPolicyViolation', 400, 'content_policy_violation'],
  ['capacityExceeded', 498, 'capacity_exceeded'],
] as const)('%s is %i at OpenAI and has a body of its own at Groq', async ([name, status, code]) => {
  const { sim, openai, groq } = await start();
  sim.fail(faults[name]());
  const error = await failure(openai.chat.completions.create(question));
  expect([error.status, error.code]).toEqual([status, code]);
  sim.fail(faults[name]());
  const groqs = await failure(groq.chat.completions.create(groqQuestion));
  expect(groqs.status).toBe(name === 'modelDecommissioned' ? 400 : status);
  expect(groqs.error).toMatchObject({ error: { message: expect.any(String), type: expect.any(String) } });
  // Both were for one request; the next ones are served.
  expect((await openai.chat.completions.create(question)).choices[0]?.message.content).toBe('2 + 2 = 4.');
  expect(sim.requests.map(({ outcome, fault }) => [outcome, fault])).toMatchObject([
    ['refused', expect.any(String)],
    ['refused', expect.any(String)],
    ['answered', undefined],
  ]);
  expect(sim.bill.entries).toHaveLength(1);
});

test('headers, waits and any other status and body', async () => {
  const { sim, openai } = await start();
  sim.fail(faults.rateLimited({ retryAfter: 1.5, headers: { 'x-ratelimit-reset-tokens': '2m59.56s' } }));
  const limited = await failure(openai.chat.completions.create(question));
  expect(limited.headers?.get('retry-after')).toBe('1.5');
  expect(limited.headers?.get('x-ratelimit-reset-tokens')).toBe('2m59.56s');
  expect(limited.headers?.get('x-request-id')).toBe('req-1');
  sim.fail(faults.overloaded({ retryAfter: 'Wed, 21 Oct 2026 07:28:00 GMT' }));
  expect((await post(sim, question)).headers.get('retry-after')).toBe('Wed, 21 Oct 2026 07:28:00 GMT');
  sim.fail(faults.status(529, { body: { overloaded: true } }));
  const json = await post(sim, question);
  expect([json.status, await json.json()]).toEqual([529, { overloaded: true }]);
  sim.fail(
    faults.status(502, { body: '<html>Bad gateway</html>', headers: { 'content-type': 'text/html' } }),
  );
  const html = await post(sim, question);
  expect([html.status, html.headers.get('content-type'), await html.text()]).toEqual([
    502,
    'text/html',
    '<html>Bad gateway</html>',
  ]);
  sim.fail(faults.status(418, { error: { message: 'own', type: 'own_type', code: 'own_code' } }));
  expect(await failure(openai.chat.completions.create(question))).toMatchObject({
    status: 418,
    code: 'own_code',
    type: 'own_type',
  });
});

test('200 that is no answer: the clients resolve', async () => {
  const { sim, openai, groq } = await start();
  sim.fail(faults.emptyObject());
  expect(await openai.chat.completions.create(question)).not.toHaveProperty('choices');
  sim.fail(faults.html());
  expect(await groq.chat.completions.create(groqQuestion)).toContain('Sign in');
  sim.fail(faults.malformedJson());
  expect((await failure(openai.chat.completions.create(question))).message).toMatch(/JSON/);
  sim.fail(faults.html());
  const chunks = [];
  for await (const chunk of await openai.chat.completions.create({ ...question, stream: true }))
    chunks.push(chunk);
  expect(chunks).toEqual([]);
  expect(sim.bill.totalPico).toBe(0n);
});

test('faults are aimed: provider, model, stream, condition, skip, times', async () => {
  const { sim } = await start();
  const status = async (body: object, provider = 'openai'): Promise<number> =>
    (await post(sim, body, provider)).status;
  sim.fail(faults.serverError(), { provider: 'groq' });
  sim.fail(faults.rateLimited(), { model: 'gpt-4o', times: 2 });
  sim.fail(faults.capacityExceeded(), { stream: true });
  sim.fail(faults.overloaded(), { where: ({ headers }) => headers['x-test'] === 'yes' });
  expect(await status(question)).toBe(200);
  expect(await status(groqQuestion, 'groq')).toBe(500);
  expect(await status(groqQuestion, 'groq')).toBe(200);
  expect([
    await status(ask('x', 'gpt-4o')),
    await status(ask('x', 'gpt-4o')),
    await status(ask('x', 'gpt-4o')),
  ]).toEqual([429, 429, 200]);
  expect(await status({ ...question, stream: true })).toBe(498);
  const headers = { authorization: 'Bearer k', 'x-test': 'yes' };
  expect((await post(sim, question, 'openai', { headers })).status).toBe(503);

  // In a row: the first order takes the first request, and a skip counts every request.
  sim.fail(faults.rateLimited());
  sim.fail(faults.serverError(), { skip: 1 });
  sim.fail(faults.overloaded(), { skip: 1 });
  expect([
    await status(question),
    await status(question),
    await status(question),
    await status(question),
  ]).toEqual([429, 500, 503, 200]);
});

test('a fault can be taken away, and says how often it hit', async () => {
  const { sim } = await start();
  const handle = sim.fail(faults.serverError(), { times: Number.POSITIVE_INFINITY });
  await post(sim, question);
  await post(sim, question);
  expect([handle.hits, handle.active]).toEqual([2, true]);
  handle.end();
  expect((await post(sim, question)).status).toBe(200);
  expect([handle.hits, handle.active]).toEqual([2, false]);
});

test('chance hits by the given random numbers', async () => {
  const hits = async (seed: number): Promise<number[]> => {
    const { sim } = await start({ random: seededRandom(seed) });
    sim.fail(faults.serverError(), { chance: 0.5, times: Number.POSITIVE_INFINITY });
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++) statuses.push((await post(sim, question)).status);
    return statuses;
  };
  const [one, again, other] = [await hits(1), await hits(1), await hits(2)];
  expect(one).toEqual(again);
  expect(one).not.toEqual(other);
  expect(new Set(one)).toEqual(new Set([200, 500]));
});

test('an outage takes one provider down: until its end, by count, and by the clock', async () => {
  const clock = new ManualClock();
  const { sim } = await start({ clock });
  const groq = async (): Promise<number> => (await post(sim, groqQuestion, 'groq')).status;
  const outage = sim.outage('groq');
  expect([await groq(), (await post(sim, question)).status, await groq()]).toEqual([503, 200, 503]);
  outage.end();
  expect(await groq()).toBe(200);

  sim.outage('groq', faults.serverError(), { skip: 1, times: 2 });
  expect([await groq(), await groq(), await groq(), await groq()]).toEqual([200, 500, 500, 200]);

  const startMs = clock.now();
  sim.outage('groq', faults.overloaded(), { fromMs: startMs + 1_000, untilMs: startMs + 2_000 });
  expect(await groq()).toBe(200);
  await clock.advance(1_000);
  expect([await groq(), await groq()]).toEqual([503, 503]);
  await clock.advance(1_000);
  expect(await groq()).toBe(200);
});

test('wrong faults and targets are refused when they are ordered', async () => {
  const { sim } = await start();
  expect(() => sim.fail({ respond: { status: 42 } })).toThrow('respond.status');
  expect(() => sim.fail({ respond: { error: 'teapot' as never } })).toThrow('respond.error must be one of');
  expect(() => sim.fail({ cut: { at: -1, how: 'reset' } })).toThrow('cut.at');
  expect(() => sim.fail({ cut: { at: 'soon' as never, how: 'reset' } })).toThrow('cut.at must be one of');
  expect(() => sim.fail({ cut: { at: 1, how: 'reset', forMs: 5 } })).toThrow('how: "stall" only');
  expect(() => sim.fail({ cut: { at: 1, how: 'stall', forMs: -5 } })).toThrow('cut.forMs');
  expect(() => sim.fail({ omit: ['everything' as never] })).toThrow('omit must be one of');
  expect(() => sim.fail({ noise: { comments: 0.5 } })).toThrow('noise.comments');
  expect(() => sim.fail({ drip: { bytes: 0, everyMs: 1 } })).toThrow('drip.bytes');
  expect(() => sim.fail({ resond: {} } as never)).toThrow('no option "resond"');
  expect(() => sim.fail({}, { provider: 'anthropic' as never })).toThrow('provider must be one of');
  expect(() => sim.fail({}, { times: 0 })).toThrow('times');
  expect(() => sim.fail({}, { chance: 2 })).toThrow('chance');
  expect(() => sim.fail({}, { where: 'always' as never })).toThrow('where must be a function');
  expect(() => sim.outage('groq', faults.html(), { from: 1 } as never)).toThrow('no option "from"');
});
