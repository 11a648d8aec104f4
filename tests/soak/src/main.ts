/**
 * `pnpm soak`: the whole stack under random faults and aborts. Exit codes: 0 all is well, 1 something is not, 2 it could
 * not begin.
 */
import { parseArgs } from 'node:util';
import { MemoryLedger } from '@synapsekit/budget';
import { type OpenedLedger, openLedger } from '@synapsekit/cli';
import { requireNumber } from '@synapsekit/core';
import { finalText, progressLine, type SoakReport, toJson } from './report.ts';
import { soak } from './soak.ts';

const help = `Usage: pnpm soak [--minutes N] [--concurrency N] [--store NAME] [--seed N] [--json]

  --minutes N       how long, fractions too (10)
  --concurrency N   callers at once (100)
  --store NAME      ledger of the budgets: memory, sqlite:FILE or redis://HOST:PORT (memory)
  --seed N          of what goes wrong, and of what callers do (a new one each time)
  --json            print JSON and nothing else
`;

const options = readArguments();
const { gc } = globalThis;
if (gc === undefined) refuse('The heap cannot be measured: start it with `pnpm soak`, or node --expose-gc.');

const live = process.stderr.isTTY === true && !options.json;
const seconds = options.minutes * 60;
const onRound = (report: SoakReport): void => {
  const line = progressLine(report, seconds);
  if (live) process.stderr.write(`\r\u001b[2K${line}`);
  else if (!options.json) console.log(line);
};
if (!options.json) console.log(`seed ${options.seed}`);
const opened = await open(options.store);
const { ledger, name: store } = opened;
const { concurrency, seed } = options;
const report = await soak({ seconds, concurrency, seed, ledger, store, gc: () => gc(), onRound }).finally(
  () => opened.close(),
);
if (live) process.stderr.write('\r\u001b[2K');
console.log(options.json ? toJson(report) : finalText(report));
process.exitCode = report.violations.length === 0 ? 0 : 1;

/** A memory that is full soon, or what the name says. */
async function open(name: string): Promise<OpenedLedger> {
  if (name === 'memory') {
    const memory = new MemoryLedger({ rememberCount: 2_000 });
    return { ledger: memory, name, close: async () => memory.dispose() };
  }
  try {
    return await openLedger(name, { cwd: process.cwd() });
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: 'string', default: '10' },
        concurrency: { type: 'string', default: '100' },
        store: { type: 'string', default: 'memory' },
        seed: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      console.log(help);
      process.exit(0);
    }
    return {
      minutes: requireNumber(Number(values.minutes), '--minutes', { min: 0.05, max: 100_000 }),
      concurrency: requireNumber(Number(values.concurrency), '--concurrency', { integer: true, min: 1 }),
      seed: requireNumber(Number(values.seed ?? Date.now() % 1_000_000), '--seed', { integer: true }),
      store: values.store,
      json: values.json,
    };
  } catch (error) {
    return refuse(`${error instanceof Error ? error.message : String(error)}\n\n${help}`);
  }
}

function refuse(message: string): never {
  console.error(message);
  process.exit(2);
}
