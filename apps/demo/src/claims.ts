import type { Terminal } from './terminal.ts';
import { displayWidth } from './text.ts';

/** Something that the demo says, and whether it was so. */
export interface Claim {
  readonly claim: string;
  readonly ok: boolean;
  /** The figures behind it. */
  readonly detail: string;
}

/** What the demo says about itself, checked as it is said: a demo that only prints proves nothing. */
export class Claims {
  readonly #terminal: Terminal;
  readonly #all: Claim[] = [];

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  get all(): readonly Claim[] {
    return this.#all;
  }

  get failed(): readonly Claim[] {
    return this.#all.filter(({ ok }) => !ok);
  }

  /** Notes and prints whether a claim holds. */
  check(claim: string, ok: boolean, detail = ''): void {
    this.#all.push({ claim, ok, detail });
    const { columns } = this.#terminal;
    const paint = this.#terminal.paint.bind(this.#terminal);
    const mark = paint(ok ? 'green' : 'red', ok ? '✓' : '✗');
    const text = ok ? claim : paint('red', claim);
    const figures = paint('dim', detail);
    if (detail === '') this.#terminal.line(`  ${mark} ${text}`);
    else if (displayWidth(`  ✓ ${claim}: ${detail}`) <= columns)
      this.#terminal.line(`  ${mark} ${text}: ${figures}`);
    else this.#terminal.line(`  ${mark} ${text}:\n    ${figures}`);
  }

  /** Checks that several books have the same amount: dollars, exact, by whose book it is. */
  checkEqual(claim: string, books: Readonly<Record<string, string>>): void {
    const amounts = new Set(Object.values(books));
    const each = Object.entries(books).map(([whose, usd]) => `${whose} $${usd}`);
    this.check(claim, amounts.size === 1, amounts.size === 1 ? `$${[...amounts][0]}` : each.join(', '));
  }
}
