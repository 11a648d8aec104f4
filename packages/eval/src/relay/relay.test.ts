import { execFile, execFileSync, execSync, fork, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SHARE_ENV, Worker } from 'node:worker_threads';
import { systemClock } from '@synapsekit/core';
import { ModelLedger } from '@synapsekit/testing/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contextOf, TrafficLab } from '../../test/traffic-run.ts';
import type { ProviderTraffic } from '../traffic/provider-traffic.ts';

const script = join(import.meta.dirname, '../../test/ask-process.mjs');

/** Relays of this file are alone in here: others run beside it. */
const folder = mkdtempSync(join(tmpdir(), 'relays-'));
const { TMPDIR, TEMP } = process.env;
beforeAll(() => {
  Object.assign(process.env, { TMPDIR: folder, TEMP: folder });
});
afterAll(() => {
  for (const [name, value] of Object.entries({ TMPDIR, TEMP })) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  rmSync(folder, { recursive: true, force: true });
});

/** What `ask-process.mjs` is told. */
interface Order {
  readonly via: 'fetch' | 'sdk' | 'stream' | 'http' | 'leave' | 'cancel' | 'child' | 'thread' | 'waited';
  readonly prompt?: string;
  readonly maxTokens?: number;
  readonly times?: number;
}

/** Ways to start something that asks a model; each gives what it said. */
const starts: Readonly<Record<string, (order: object) => Promise<string>>> = {
  spawn: (order) => heard(spawn(process.execPath, [script, JSON.stringify(order)])),
  'spawn with an environment of its own': (order) =>
    heard(spawn(process.execPath, [script, JSON.stringify(order)], { env: { PATH: process.env.PATH } })),
  'spawn with options for Node': (order) =>
    heard(
      spawn(process.execPath, [script, JSON.stringify(order)], {
        env: { ...process.env, NODE_OPTIONS: '--max-old-space-size=256' },
      }),
    ),
  execFile: async (order) =>
    (await promisify(execFile)(process.execPath, [script, JSON.stringify(order)])).stdout.trim(),
  'exec in a shell': (order) =>
    heard(spawn(`"${process.execPath}" "${script}" '${JSON.stringify(order)}'`, { shell: true })),
  fork: (order) => heard(fork(script, [JSON.stringify(order)], { silent: true, execArgv: [] })),
  Worker: (order) => posted(new Worker(script, { workerData: order })),
  'Worker with an environment of its own': (order) =>
    posted(new Worker(script, { workerData: order, env: { NODE_OPTIONS: '' } })),
  'Worker that shares the environment': (order) =>
    posted(new Worker(script, { workerData: order, env: SHARE_ENV, execArgv: [] })),
};

function heard(child: ReturnType<typeof spawn>): Promise<string> {
  let text = '';
  child.stdout?.on('data', (data) => {
    text += data;
  });
  child.stderr?.on('data', (data) => {
    text += data;
  });
  return new Promise((resolve) => child.on('close', () => resolve(text.trim())));
}

function posted(worker: Worker): Promise<string> {
  return new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject));
}

/** Runs something under a budget or a tape, and gives what was said, and what the boundary reports of the case. */
async function within(
  traffic: ProviderTraffic,
  fn: () => string | Promise<string>,
): Promise<{ said: string; report: ReturnType<ProviderTraffic['report']> }> {
  const restore = traffic.install();
  const context = contextOf();
  try {
    const said = await traffic.run(context, fn);
    return { said, report: traffic.report(context) };
  } finally {
    await traffic.close();
    restore();
  }
}

const budget = (limitUsd = '0.01') => ({ limitUsd, ledger: new ModelLedger(systemClock) });

test.each(Object.entries(starts))(
  '%s: measured, within the budget, taped and replayed',
  async (_, start) => {
    await using lab = await TrafficLab.open();
    const order = (via: Order['via']) => ({ url: lab.sim.openaiBaseURL, via, prompt: 'Capital of France?' });
    const live = await within(lab.traffic({ mode: 'record', budget: budget() }), () => start(order('fetch')));
    expect(live.report).toMatchObject({ requests: 1, recorded: 1, billedUsd: lab.sim.bill.totalUsdExact });
    expect(lab.sim.requests).toHaveLength(1);
    const again = await within(lab.traffic({ mode: 'replay' }), () => start(order('fetch')));
    expect(again.report).toMatchObject({ requests: 1, replayed: 1, billedUsd: '0' });
    expect(again.said).toBe(live.said);
    const refused = await within(lab.traffic({ budget: budget('0.0000001') }), () => start(order('fetch')));
    expect(refused.said).toMatch(/^400 run_budget: synapsekit: budget: /);
    expect(refused.report?.stop).toMatchObject({ kind: 'budget' });
    expect(lab.sim.requests).toHaveLength(1);
  },
  60_000,
);

test.each(['sdk', 'stream', 'child', 'thread', 'waited'] as const)(
  'a process by %s',
  async (via) => {
    await using lab = await TrafficLab.open();
    const order: Order & { url: string } = { url: lab.sim.openaiBaseURL, via, times: 2 };
    const { said, report } = await within(
      lab.traffic({ budget: budget() }),
      () => starts.spawn?.(order) ?? '',
    );
    expect(said.split('\n')).toHaveLength(2);
    expect(report).toMatchObject({ requests: 2, billedUsd: lab.sim.bill.totalUsdExact });
    expect(report?.stop).toBeUndefined();
  },
  60_000,
);

test('what goes past fetch is stopped there as well, and fails the case', async () => {
  await using lab = await TrafficLab.open();
  for (const start of ['spawn', 'Worker']) {
    const { said, report } = await within(
      lab.traffic({ budget: budget() }),
      () => starts[start]?.({ url: lab.sim.openaiBaseURL, via: 'http' }) ?? '',
    );
    expect(said).toMatch(/did not go through fetch/);
    expect(report?.stop).toMatchObject({
      kind: 'blocked',
      message: expect.stringContaining('did not go through fetch'),
    });
  }
  expect(lab.sim.requests).toHaveLength(0);
}, 60_000);

test('processes that the run waits for are refused, and told why', async () => {
  await using lab = await TrafficLab.open();
  const order = JSON.stringify({ url: lab.sim.openaiBaseURL, via: 'fetch' });
  const waits = [
    () => spawnSync(process.execPath, [script, order], { encoding: 'utf8' }).stdout,
    () => execFileSync(process.execPath, [script, order], { encoding: 'utf8', env: {} }),
    () => execSync(`"${process.execPath}" "${script}" '${order}'`).toString(),
  ];
  for (const wait of waits) {
    for (const options of [{ budget: budget() }, { mode: 'replay' }, { mode: 'record' }] as const) {
      const { said, report } = await within(lab.traffic(options), wait);
      expect(said).toMatch(
        /^400 blocked: synapsekit: a request to .* was not sent: the run waits for the process/,
      );
      expect(report?.stop).toMatchObject({ kind: 'blocked', message: expect.stringContaining('spawnSync') });
    }
  }
  expect(lab.sim.requests).toHaveLength(0);
  // Without a budget and without a tape nothing depends on it, and it is left alone.
  const { said } = await within(lab.traffic(), () =>
    execSync('node -p "String(process.env.NODE_OPTIONS) + process.env.SYNAPSEKIT_RELAY"', {
      encoding: 'utf8',
    }),
  );
  expect(said).not.toMatch(/synapsekit-preload|socket/);
}, 120_000);

test('twenty processes at once never pass the budget', async () => {
  await using lab = await TrafficLab.open();
  const traffic = lab.traffic({ budget: budget('0.002') });
  const { said } = await within(traffic, async () =>
    (
      await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          starts.Worker?.({ url: lab.sim.openaiBaseURL, via: 'fetch', prompt: `Question ${n}`, times: 3 }),
        ),
      )
    ).join('\n'),
  );
  expect(said.split('\n')).toHaveLength(60);
  expect(lab.sim.bill.totalUsd).toBeGreaterThan(0.0005);
  expect(lab.sim.bill.totalUsd).toBeLessThanOrEqual(0.002);
  expect(traffic.total().billedUsd).toBe(lab.sim.bill.totalUsdExact);
  expect(said).toContain('run_budget');
}, 120_000);

test('a process that leaves a stream, and one that is killed, are booked', async () => {
  await using lab = await TrafficLab.open({ latencyMs: 2_000, chunkDelayMs: 2_000 });
  const url = lab.sim.openaiBaseURL;
  const ledger = new ModelLedger(systemClock);
  const { report } = await within(lab.traffic({ budget: { limitUsd: 1, ledger } }), async () => {
    await starts.spawn?.({ url, via: 'leave', maxTokens: 200 });
    const child = spawn(process.execPath, [script, JSON.stringify({ url, via: 'fetch', maxTokens: 200 })]);
    const ended = heard(child);
    while (lab.sim.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill('SIGKILL');
    return ended;
  });
  expect(report).toMatchObject({ requests: 2, unknownCost: 2 });
  expect(Number(report?.billedUsd)).toBeGreaterThanOrEqual(lab.sim.bill.totalUsd);
}, 60_000);

test('a process that cancels an answer before it has read any of it ends, and so does the answer', async () => {
  await using lab = await TrafficLab.open({ chunkDelayMs: 60_000 });
  const order = { url: lab.sim.openaiBaseURL, via: 'cancel', maxTokens: 200 };
  const { said, report } = await within(lab.traffic({ budget: budget() }), () => starts.spawn?.(order) ?? '');
  expect(said).toBe('cancelled');
  expect(report).toMatchObject({ requests: 1, unknownCost: 1 });
  await lab.sim.idle();
}, 60_000);

test('when the run is over, what it left behind sends nothing, and nothing of it is left', async () => {
  await using lab = await TrafficLab.open();
  const before = leftovers();
  const { env } = process;
  const original = { spawn, Worker, NODE_OPTIONS: env.NODE_OPTIONS };
  const order = JSON.stringify({ url: lab.sim.openaiBaseURL, via: 'fetch' });
  let late: ReturnType<typeof spawn> | undefined;
  await within(lab.traffic({ budget: budget() }), () => {
    late = spawn(process.execPath, [
      '--import',
      'data:text/javascript,await new Promise((go) => process.stdin.once("data", go))',
      script,
      order,
    ]);
    return '';
  });
  // Somebody has kept a function of the run: it starts processes, and opens nothing for them.
  const keeper = lab.traffic({ budget: budget() });
  const restore = keeper.install();
  const { spawn: kept } = process.getBuiltinModule('node:child_process');
  const { Worker: KeptWorker } = process.getBuiltinModule('node:worker_threads');
  await keeper.close();
  restore();
  expect(await heard(kept(process.execPath, ['-p', '"started"']))).toBe('started');
  await new KeptWorker('', { eval: true }).terminate();
  expect(leftovers()).toEqual(before);
  const said = heard(late as ReturnType<typeof spawn>);
  late?.stdin?.end('go\n');
  expect(await said).toMatch(/the eval run that started this process is over/);
  expect(lab.sim.requests).toHaveLength(0);
  expect({ spawn, Worker, NODE_OPTIONS: env.NODE_OPTIONS }).toEqual(original);
  expect(leftovers()).toEqual(before);
  expect(await heard(spawn(process.execPath, [script, order]))).not.toMatch(/Error/);
  expect(lab.sim.requests).toHaveLength(1);
}, 60_000);

function leftovers(): readonly string[] {
  return readdirSync(folder).filter((name) => existsSync(join(folder, name, 's')));
}
