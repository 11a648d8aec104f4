import { ConfigError } from '@synapsekit/core';

/** Which prompts a model was trained on, without any of them: a Bloom filter. */
export interface FingerprintsJson {
  /** How many bits each prompt sets. */
  readonly hashes: number;
  /** The bits, base64. */
  readonly data: string;
}

const bitsPerPrompt = 8;
const hashes = 5;
const maxBytes = 6_000;
const endChars = 16_384;

/**
 * Remembers prompts by a few bits each, so that a model is never measured on what it was trained on. It has no false
 * no; a false yes (some percent, more for large training sets) only means that a fresh row is not used.
 */
export class Fingerprints {
  readonly #bits: Uint8Array;
  readonly #hashes: number;

  private constructor(bits: Uint8Array, count: number) {
    this.#bits = bits;
    this.#hashes = count;
  }

  /** Fingerprints of these texts. */
  static of(texts: readonly string[]): Fingerprints {
    const bytes = Math.min(maxBytes, Math.ceil((texts.length * bitsPerPrompt) / 8));
    const made = new Fingerprints(new Uint8Array(Math.max(8, bytes)), hashes);
    const bits = made.#bits;
    for (const text of texts) {
      made.#each(text, (byte, bit) => {
        bits[byte] = (bits[byte] ?? 0) | bit;
      });
    }
    return made;
  }

  /** @throws ConfigError for what are no fingerprints. */
  static fromJSON(json: FingerprintsJson): Fingerprints {
    const { hashes: count, data } = json ?? {};
    const bits = typeof data === 'string' ? Buffer.from(data, 'base64') : new Uint8Array();
    if (!Number.isSafeInteger(count) || count < 1 || count > 32 || bits.length === 0) {
      throw new ConfigError('fingerprints must be { hashes, data }.', { option: 'fingerprints' });
    }
    return new Fingerprints(bits, count);
  }

  toJSON(): FingerprintsJson {
    return { hashes: this.#hashes, data: Buffer.from(this.#bits).toString('base64') };
  }

  /** True for every text that it was made of, and for a few others. */
  has(text: string): boolean {
    let all = true;
    this.#each(text, (byte, bit) => {
      if (((this.#bits[byte] ?? 0) & bit) === 0) all = false;
    });
    return all;
  }

  #each(text: string, visit: (byte: number, bit: number) => void): void {
    let a = 0x811c9dc5;
    let b = text.length | 0;
    for (let i = 0; i < text.length; i++) {
      // Of a text of megabytes the beginning, the end and the length tell which it is.
      if (i === endChars && text.length > 2 * endChars) i = text.length - endChars;
      const code = text.charCodeAt(i);
      a = Math.imul(a ^ code, 0x01000193);
      b = Math.imul(b ^ code, 0x5bd1e995) ^ (b >>> 15);
    }
    const size = this.#bits.length * 8;
    for (let k = 0; k < this.#hashes; k++) {
      const at = ((a + Math.imul(k, b | 1)) >>> 0) % size;
      visit(at >>> 3, 1 << (at & 7));
    }
  }
}
