import type { Random } from '@synapsekit/core';

/**
 * Random numbers that a seed and some words determine, made only when they are asked for: FNV-1a of the words starts
 * the generator mulberry32.
 */
export function seededRandom(seed: number, ...words: readonly unknown[]): Random {
  let state: number | undefined;
  return () => {
    state ??= hash(`${seed}\0${words.join('\0')}`);
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function hash(text: string): number {
  let sum = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193);
  return sum | 0;
}

/** The same things in an order that the seed determines (Fisher and Yates). */
export function shuffle<T>(things: readonly T[], random: Random): T[] {
  const mixed = [...things];
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other] as T, mixed[last] as T];
  }
  return mixed;
}
