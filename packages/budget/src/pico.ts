import type { PicoUsd } from '@synapsekit/core';

/** The smaller of two amounts. (`Math.min` takes no bigints.) */
export function lesser(a: PicoUsd, b: PicoUsd): PicoUsd {
  return b < a ? b : a;
}

/** An amount, or nothing where it is negative. */
export function atLeastZero(pico: PicoUsd): PicoUsd {
  return pico > 0n ? pico : 0n;
}
