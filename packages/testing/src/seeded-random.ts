import { type Random, requireNumber } from '@synapsekit/core';

/**
 * Random numbers in [0, 1) that are the same for the same seed: sfc32 with 53-bit results, seeded by splitmix32.
 * Good enough for jitter, sampling and simulations; not for secrets.
 *
 * @param seed any whole number.
 * @throws ConfigError when it is not.
 * @see https://pracrand.sourceforge.net/RNG_engines.txt (sfc32)
 */
export function seededRandom(seed: number): Random {
  requireNumber(seed, 'seed', { integer: true });
  const mixed = splitmix32(seed);
  // A seed beyond 32 bits counts in full: its upper half goes into the mixture as well.
  const upper = splitmix32(Math.floor(seed / 2 ** 32));
  let [a, b, c, counter] = [mixed(), mixed() ^ upper(), mixed(), 1];

  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };
  for (let round = 0; round < 12; round++) next(); // the first results still show the seed
  return () => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53;
}

function splitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  };
}
