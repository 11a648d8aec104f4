import { Worker } from 'node:worker_threads';
import { type PlannedCase, pastBoundary, type RunObserver } from '@synapsekit/eval';

/** How many running cases it can name. */
const slots = 32;
/** Room for the name of a metric. */
const stepBytes = 96;

/** What the watchdog has to know. */
export interface WatchdogOptions {
  /** Code that does not give way for so long is never going to, in milliseconds; cases may have more. */
  readonly limitMs: number;
  /** Where the results so far are, for the message. */
  readonly resultsPath: string;
}

/**
 * Ends the process when code of a file, a case or a metric does not give way: an endless loop cannot be interrupted from
 * within, and would hang a CI job for hours. A thread of its own looks whether the event loop still turns; when it does
 * not, it says what was running and kills the process (exit code 137). What had ended is in the journal by then.
 */
export class Watchdog implements RunObserver {
  readonly #beat: Int32Array;
  readonly #step: Uint8Array;
  readonly #encoder: InstanceType<typeof TextEncoder> = new TextEncoder();
  readonly #worker: Worker;
  readonly #timer: NodeJS.Timeout;

  constructor({ limitMs, resultsPath }: WatchdogOptions) {
    const shared = new SharedArrayBuffer(4 * (2 + slots) + stepBytes);
    this.#beat = new Int32Array(shared, 0, 2 + slots);
    this.#step = new Uint8Array(shared, 4 * (2 + slots), stepBytes);
    const workerData = { shared, slots, stepBytes, limitMs, resultsPath };
    this.#worker = pastBoundary(() => new Worker(watch, { eval: true, workerData }));
    this.#worker.unref();
    this.#timer = setInterval(() => Atomics.add(this.#beat, 0, 1), 100);
    this.#timer.unref();
  }

  /** A file is loaded from now on. */
  onFile(name: string): void {
    this.onCaseStep(name);
  }

  /** Files are loaded; from now on cases run. @param limitMs the longest that one of them may take, and some more. */
  begin(plan: readonly PlannedCase[], limitMs: number): void {
    this.onCaseStep('');
    this.#worker.postMessage({
      limitMs,
      names: plan.map(({ case: { name }, file }) => (file === undefined ? name : `${name} (${file})`)),
    });
  }

  onCaseStart(_: PlannedCase, index: number): void {
    const free = this.#beat.indexOf(0, 2);
    if (free !== -1) this.#beat[free] = index + 1;
  }

  onCaseStep(step: string): void {
    this.#step.fill(0, this.#encoder.encodeInto(step, this.#step).written);
  }

  onCaseEnd(_: unknown, index: number): void {
    Atomics.add(this.#beat, 1, 1);
    const slot = this.#beat.indexOf(index + 1, 2);
    if (slot !== -1) this.#beat[slot] = 0;
  }

  /** Ends the watch. */
  stop(): void {
    clearInterval(this.#timer);
    void this.#worker.terminate();
  }
}

/** The thread, as text: it needs no file of its own that a bundler would have to find. */
const watch = `
const { workerData, parentPort } = require('node:worker_threads');
const { writeSync } = require('node:fs');
const { shared, slots, stepBytes, resultsPath } = workerData;
const beat = new Int32Array(shared, 0, 2 + slots);
const step = new Uint8Array(shared, 4 * (2 + slots), stepBytes);
let limitMs = workerData.limitMs;
let names;
let seen = Atomics.load(beat, 0);
let aliveMs = performance.now();
parentPort.on('message', (run) => {
  limitMs = run.limitMs;
  names = run.names;
});
setInterval(() => {
  const now = Atomics.load(beat, 0);
  if (now !== seen) {
    seen = now;
    aliveMs = performance.now();
    return;
  }
  const blockedMs = performance.now() - aliveMs;
  if (blockedMs < limitMs) return;
  const last = Buffer.from(step).toString('utf8').replace(/\\0.*$/s, '');
  const say = (where, rest) => writeSync(2, '\\nSomething did not give way for ' + Math.round(blockedMs / 1000) + ' s: an endless loop? Look in ' + where + '.\\n' + rest + 'The process is killed.\\n');
  if (names === undefined) {
    say('the file that was being loaded: ' + last, '');
  } else {
    const running = Array.from(beat.subarray(2)).filter((index) => index > 0).map((index) => names[index - 1]);
    const who = running.length === 0 ? 'no case was running' : (running.length === 1 ? 'the case that was running: ' : 'one of the cases that were running: ') + running.join(', ');
    const part = last === '' ? '' : '; the part begun last: its metric ' + last;
    say(who + part, Atomics.load(beat, 1) + ' of ' + names.length + ' cases had ended; their results are in ' + resultsPath + '. ');
  }
  process.kill(process.pid, 'SIGKILL');
}, Math.min(250, limitMs / 4));
`;
