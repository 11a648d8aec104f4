import { usdDecimal } from '@synapsekit/core';

/** One thing that has to be true. */
export interface Claim {
  readonly what: string;
  readonly isTrue: boolean;
  /** The figures that it was judged by. */
  readonly figures: string;
}

/** One row of the table. */
export interface Row {
  readonly scenario: string;
  /** Store or package, and what else sets it apart. */
  readonly subject: string;
  readonly calls: number;
  readonly admitted: number;
  /** `undefined` where nobody is left who could tell. */
  readonly refused: number | undefined;
  /** Spend above a limit that no call above its hold explains, pico-dollars. */
  readonly overshootPico: bigint;
  /** Refused although it would have fit; `undefined` where that was not measured. */
  readonly falseRefusals: number | undefined;
  /** Spent, as a share of the tightest limit that everybody shares. */
  readonly utilisation: number | undefined;
  /** Holds that are left when everything is over; `undefined` where there are none to leak. */
  readonly leakedHolds: number | undefined;
  readonly seconds: number;
  readonly claims: readonly Claim[];
  /** For comparison: what is not ours may fail. */
  readonly isPeer?: boolean;
  readonly note?: string;
}

/** False refusals among all calls that would have fit: those that were admitted, and those refused falsely. */
export function falseRate({ admitted, falseRefusals }: Row): number | undefined {
  if (falseRefusals === undefined) return undefined;
  return falseRefusals === 0 ? 0 : falseRefusals / (admitted + falseRefusals);
}

/** A claim that two amounts are one, to the last pico-dollar. */
export function sameAmount(what: string, actual: bigint, expected: bigint): Claim {
  return {
    what,
    isTrue: actual === expected,
    figures: `$${usdDecimal(actual)} against $${usdDecimal(expected)}`,
  };
}

/** A claim about a number. */
export function claim(what: string, isTrue: boolean, figures: string | number): Claim {
  return { what, isTrue, figures: String(figures) };
}

/** What is not true, in words. */
export function untrue(rows: readonly Row[]): readonly string[] {
  return rows
    .filter(({ isPeer }) => isPeer !== true)
    .flatMap(({ scenario, subject, claims }) =>
      claims
        .filter(({ isTrue }) => !isTrue)
        .map(({ what, figures }) => `${scenario}, ${subject}: not true that ${what} (${figures})`),
    );
}
