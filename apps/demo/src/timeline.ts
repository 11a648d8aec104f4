import type { Generation } from '@synapsekit/core';
import type { BreakerTransition } from '@synapsekit/resilience';
import { inShort } from './describe-error.ts';
import { type Cell, Table } from './table.ts';
import type { Style, Terminal } from './terminal.ts';

/** A call as it is shown. */
export interface TimelineCall {
  readonly answer: Generation;
  /** How many requests the first provider has had until now. */
  readonly sent: number;
  /** State of its breaker. */
  readonly state: string;
}

/** Why a breaker changes, for people. */
export type Causes = Readonly<Partial<Record<BreakerTransition['reason'], string>>>;

/** What happens in an outage, line by line, in the order in which it happens. */
export class Timeline {
  readonly #terminal: Terminal;
  readonly #causes: Causes;
  readonly #table: Table;
  readonly #startMs = performance.now();
  #calls = 0;

  constructor(terminal: Terminal, causes: Causes) {
    this.#terminal = terminal;
    this.#causes = causes;
    this.#table = new Table(terminal, [
      { title: 'time', width: 6, align: 'right' },
      { title: 'call', width: 4, align: 'right' },
      { title: 'gpt-4o', width: 11 },
      { title: 'answered by', width: 28 },
      { title: 'to OpenAI', width: 9, align: 'right' },
      { title: 'breaker', width: 9 },
    ]);
  }

  call({ answer, sent, state }: TimelineCall): void {
    const [failure] = answer.failures;
    const how =
      failure === undefined
        ? 'answers'
        : failure.outcome === 'skipped'
          ? 'skipped'
          : `fails (${inShort(failure.error)})`;
    const cells: Cell[] = [
      { text: this.#time(), style: 'dim' },
      `${++this.#calls}`,
      { text: how, style: failure === undefined ? 'green' : 'yellow' },
      answer.servedBy,
      `${sent}`,
      { text: state, style: styleOf(state) },
    ];
    this.#table.row(cells);
  }

  event(text: string, style: Style = 'dim'): void {
    this.#terminal.line(
      `  ${this.#terminal.paint('dim', this.#time())}  ${this.#terminal.paint(style, `── ${text}`)}`,
    );
  }

  transition({ from, to, reason }: BreakerTransition): void {
    this.event(`breaker ${from} → ${to}: ${this.#causes[reason] ?? reason}`, styleOf(to));
  }

  #time(): string {
    return `${((performance.now() - this.#startMs) / 1_000).toFixed(2)} s`.padStart(6);
  }
}

function styleOf(state: string): Style {
  if (state === 'CLOSED') return 'green';
  return state === 'HALF_OPEN' ? 'yellow' : 'red';
}
