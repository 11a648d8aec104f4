import type { Limit } from './budget-limit.ts';
import type { Spend, Unit } from './spend.ts';

/** What a guard counts, in whole units of its ledger: pico-dollars may be finer than those, tokens never are. */
export class LedgerUnits {
  readonly #unitPico: bigint;

  /** @param unitPico how many pico-dollars one unit of the ledger is. */
  constructor(unitPico: bigint) {
    this.#unitPico = unitPico;
  }

  /** What is spent, rounded against the spender. */
  ofSpend(spend: Spend, unit: Unit): bigint {
    if (unit === 'tokens') return spend.tokens;
    const unitPico = this.#unitPico;
    return unitPico === 1n ? spend.pico : (spend.pico + unitPico - 1n) / unitPico;
  }

  ofLimit({ unit, amount }: Limit): bigint {
    return unit === 'tokens' || this.#unitPico === 1n ? amount : amount / this.#unitPico;
  }

  /** What the ledger counts, in what the limit counts. */
  toAmount({ unit }: Pick<Limit, 'unit'>, units: bigint): bigint {
    return unit === 'usd' ? units * this.#unitPico : units;
  }
}
