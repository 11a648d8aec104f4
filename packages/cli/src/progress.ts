import { type Clock, systemClock } from '@synapsekit/core';
import type { CaseResult, PlannedCase, RunObserver } from '@synapsekit/eval';
import type { CliStream } from './io.ts';

const firstAfterMs = 300;
const everyMs = 100;
const clearLine = '\r\u001b[2K';

/** One line on a terminal that says what is going on, until something else is printed. */
export class Progress implements RunObserver {
  readonly #stream: CliStream;
  readonly #clock: Clock;
  readonly #startedMs: number;
  readonly #running: Map<number, string> = new Map();
  #total = 0;
  #done = 0;
  #shown = false;
  #cancel: () => void = () => {};

  constructor(stream: CliStream, clock: Clock = systemClock) {
    this.#stream = stream;
    this.#clock = clock;
    this.#startedMs = clock.monotonic();
  }

  onRunStart(plan: readonly PlannedCase[]): void {
    this.#total = plan.length;
    this.#cancel = this.#clock.timer(firstAfterMs, () => this.#draw());
  }

  onCaseStart(planned: PlannedCase, index: number): void {
    this.#running.set(index, planned.case.name);
  }

  onCaseEnd(_: CaseResult, index: number): void {
    this.#running.delete(index);
    this.#done++;
  }

  onRunEnd(): void {
    this.#cancel();
    this.hide();
  }

  /** Clears the line, so that something else can be printed. It comes back by itself. */
  hide(): void {
    if (this.#shown) this.#stream.write(clearLine);
    this.#shown = false;
  }

  #draw(): void {
    const seconds = ((this.#clock.monotonic() - this.#startedMs) / 1_000).toFixed(1);
    const line = `${this.#done}/${this.#total} · ${seconds} s · ${[...this.#running.values()].join(', ')}`;
    this.#stream.write(clearLine + line.slice(0, (this.#stream.columns || 80) - 1));
    this.#shown = true;
    this.#cancel = this.#clock.timer(everyMs, () => this.#draw());
  }
}
