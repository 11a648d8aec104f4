import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import type { AttemptIdentity } from '@synapsekit/core';
import type { SimulatedChat } from '../provider/chat.ts';
import type { Fault } from '../provider/fault.ts';
import { faults } from '../provider/faults.ts';
import type { ScriptedAnswer } from '../provider/scripted-answer.ts';
import { canaryKey, failureOf, type LLMCheck, llmCheck, pause, readStream } from './llm-check.ts';

/** Attempts: what money is booked by. */
export const attemptChecks: readonly LLMCheck[] = [
  llmCheck('asks before it sends, and waits for the answer', async (world) => {
    const started: AttemptIdentity[] = [];
    let sentBefore = -1;
    const onAttemptStart = async (attempt: AttemptIdentity): Promise<void> => {
      await pause(20);
      sentBefore = world.simulated.requests.length;
      started.push(attempt);
    };
    await world.generate('Hello', { onAttemptStart });
    assert.equal(sentBefore, 0, 'It was sent before it was allowed.');
    assert.equal(started[0]?.attemptId, world.attempt.attemptId);
    await world.stream('Hello', { onAttemptStart }).result;
    assert.equal(sentBefore, 1);
    assert.deepEqual(
      started.map(({ attemptId }) => attemptId),
      world.attempts.map(({ attemptId }) => attemptId),
    );
  }),
  llmCheck('sends nothing that it is not allowed to send', async (world) => {
    const no = new Error('not allowed');
    const onAttemptStart = (): never => {
      throw no;
    };
    assert.equal(await failureOf(world.generate('Hello', { onAttemptStart })), no);
    assert.equal((await readStream(world.stream('Hello', { onAttemptStart }))).error, no);
    assert.equal(world.simulated.requests.length, 0);
    assert.deepEqual(
      world.attempts.map(({ outcome, usage }) => [outcome, usage]),
      [
        ['unsent', undefined],
        ['unsent', undefined],
      ],
    );
  }),
  llmCheck('gives every attempt an id of its own', async (world) => {
    await world.generate();
    await world.generate();
    await world.stream().result;
    assert.equal(new Set(world.attempts.map(({ attemptId }) => attemptId)).size, 3);
  }),
  llmCheck('counts what it estimates with a real tokenizer, when told to', async (world) => {
    world.simulated.answerNext('The quick brown fox jumps over the lazy dog, café and 漢字 included.');
    world.simulated.fail(faults.endAfter(9));
    const llm = world.withConfig({ trackTokens: true });
    await failureOf(llm.stream('Tell me about foxes, cafés and 漢字.', world.options()).result);
    const { attempt, simulated } = world;
    const [entry] = simulated.bill.entries;
    assert.equal(attempt.usage?.source, 'estimated');
    assert.equal(attempt.usage?.inputTokens, entry?.inputTokens);
    assert.equal(attempt.usage?.outputTokens, entry?.outputTokens);
  }),
  llmCheck(
    'keeps a thousand calls at once apart',
    async (world) => {
      const calls = Array.from({ length: 1_000 }, async (_, index) => {
        const own: unknown[] = [];
        const prompt = `Call ${index}`;
        const options = { onAttempt: (attempt: unknown) => own.push(attempt) };
        const generation =
          index % 4 === 0
            ? await world.llm.stream(prompt, options).result
            : await world.llm.generate(prompt, options);
        assert.equal(generation.text, `Answer ${index}`);
        assert.equal(generation.usage.inputTokens, 1_000 + index);
        assert.equal(generation.usage.outputTokens, 10 + index);
        assert.deepEqual(own, generation.attempts);
        return generation.usage.attemptId;
      });
      const ids = new Set(await Promise.all(calls));
      assert.equal(ids.size, 1_000);
      assert.equal(world.simulated.requests.length, 1_000);
    },
    { answers: numbered },
  ),
];

/** The answer to `"Call 7"` is `"Answer 7"`, with counts that belong to it alone. */
function numbered({ userText }: SimulatedChat): ScriptedAnswer {
  const index = Number(userText.replace('Call ', ''));
  return { text: `Answer ${index}`, usage: { inputTokens: 1_000 + index, outputTokens: 10 + index } };
}

const secret = 'Weatherwax-4711';
const leaking = {
  message: `Invalid prompt "Dear ${secret}" with key ${canaryKey}`,
  type: 'invalid_request_error',
};

const leaks: readonly (readonly [what: string, fault: Fault])[] = [
  ['a refusal', faults.status(400, { error: leaking })],
  ['a wrong key', faults.status(401, { error: leaking })],
  ['a rate limit', faults.status(429, { error: leaking })],
  ['a 500', faults.status(500, { error: leaking })],
  ['a web page', faults.status(502, { body: `<html>${secret} ${canaryKey}</html>` })],
  ['an answer that is none', faults.status(200, { body: `<html>${secret} ${canaryKey}</html>` })],
  [
    'broken JSON',
    faults.status(200, {
      headers: { 'content-type': 'application/json' },
      body: `{"${secret}": "${canaryKey}"`,
    }),
  ],
  [
    'a broken chunk',
    faults.status(200, {
      headers: { 'content-type': 'text/event-stream' },
      body: `data: {"${secret}": "${canaryKey}"\n\n`,
    }),
  ],
  ['an error in the stream', faults.errorAfter(1, leaking)],
  ['a lost connection', faults.reset()],
];

/** What must not get out. */
export const secretChecks: readonly LLMCheck[] = [
  ...leaks.map(([what, fault]) =>
    llmCheck(`tells neither key nor prompt where ${what} repeats them`, async (world) => {
      world.simulated.fail(fault, { times: 2 });
      const printed = await capturingConsole(async () => {
        const errors = [
          await failureOf(world.generate(`Dear ${secret}`)),
          (await readStream(world.stream(`Dear ${secret}`))).error,
        ];
        for (const error of errors) {
          assertSilent(inspect(error, { depth: 10, showHidden: true, getters: true }));
          assertSilent(`${JSON.stringify(error)} ${String((error as Error | undefined)?.stack)}`);
        }
      });
      assertSilent(printed);
      assertSilent(JSON.stringify(world.attempts));
    }),
  ),
  llmCheck('shows no key when it is printed', async (world) => {
    await world.generate();
    for (const text of [
      inspect(world.llm, { depth: 10, showHidden: true, getters: true }),
      JSON.stringify(world.llm),
      String(world.llm),
    ]) {
      assert.ok(!text.includes(canaryKey), 'The model shows its key.');
    }
  }),
];

function assertSilent(text: string): void {
  for (const word of [canaryKey, secret, 'Weatherwax']) {
    assert.ok(!text.includes(word), `"${word}" got out.`);
  }
}

const methods = ['debug', 'error', 'info', 'log', 'warn'] as const;

/** What `run` prints, which then does not appear. */
async function capturingConsole(run: () => Promise<void>): Promise<string> {
  const { console: shared } = globalThis;
  const saved = methods.map((method) => [method, shared[method]] as const);
  let printed = '';
  for (const method of methods) {
    shared[method] = (...args) => {
      printed += `${args.map((arg) => (typeof arg === 'string' ? arg : inspect(arg))).join(' ')}\n`;
    };
  }
  try {
    await run();
  } finally {
    for (const [method, original] of saved) shared[method] = original;
  }
  return printed;
}
