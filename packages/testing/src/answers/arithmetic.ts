const symbols: readonly (readonly [RegExp, string])[] = [
  [/\bplus\b/g, '+'],
  [/\bminus\b/g, '-'],
  [/\b(times|multiplied by)\b|×/g, '*'],
  [/\b(divided by|over)\b|÷/g, '/'],
  [/−/g, '-'],
];
const asks = /^(?:what is|what's|what are|calculate|compute|evaluate|how much is|solve)\s+/;

/** Answers a question that is an arithmetic expression ("What is 2 + 2?"); `undefined` for anything else. */
export function arithmeticAnswer(question: string): string | undefined {
  let expression = question.trim().toLowerCase();
  for (const [words, symbol] of symbols) expression = expression.replace(words, symbol);
  expression = expression.replace(asks, '').replace(/[\s=?.!]+$/, '');
  if (!/^[\d\s+\-*/().,]+$/.test(expression) || !/\d\s*\)*\s*[-+*/]/.test(expression)) return undefined;
  const value = new Calculation(expression.replace(/(?<=\d),(?=\d{3})/g, '')).result();
  if (value === undefined) return undefined;
  if (!Number.isFinite(value)) return 'That is undefined: it divides by zero.';
  const shown = Number(value.toPrecision(12));
  return `${expression.replace(/\s*([-+*/])\s*/g, ' $1 ').trim()} = ${shown}.`;
}

/** A recursive descent over + - * / and parentheses. */
class Calculation {
  readonly #tokens: readonly string[];
  #next = 0;

  constructor(expression: string) {
    this.#tokens = expression.match(/\d+(?:\.\d+)?|[-+*/()]|\S/g) ?? [];
  }

  /** `undefined` when it is no expression. */
  result(): number | undefined {
    const value = this.#sum();
    return this.#next === this.#tokens.length && !Number.isNaN(value) ? value : undefined;
  }

  #sum(): number {
    let value = this.#product();
    for (let sign = this.#take('+', '-'); sign !== undefined; sign = this.#take('+', '-')) {
      value += (sign === '+' ? 1 : -1) * this.#product();
    }
    return value;
  }

  #product(): number {
    let value = this.#factor();
    for (let sign = this.#take('*', '/'); sign !== undefined; sign = this.#take('*', '/')) {
      const factor = this.#factor();
      // NaN means "no expression", so 0 / 0 must not come out as it.
      value = sign === '*' ? value * factor : factor === 0 ? Number.POSITIVE_INFINITY : value / factor;
    }
    return value;
  }

  #factor(): number {
    if (this.#take('-') !== undefined) return -this.#factor();
    if (this.#take('(') !== undefined) {
      const value = this.#sum();
      return this.#take(')') === undefined ? Number.NaN : value;
    }
    return Number(this.#tokens[this.#next++]);
  }

  #take(...wanted: readonly string[]): string | undefined {
    const token = this.#tokens[this.#next];
    if (token === undefined || !wanted.includes(token)) return undefined;
    this.#next += 1;
    return token;
  }
}
