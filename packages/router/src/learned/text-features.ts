import { requireNumber } from '@synapsekit/core';
import { TextForm } from './text-form.ts';

/** What `TextFeatures` measures of a text, besides its words; in this order, at the first indices of its vectors. */
export const denseFeatureNames = [
  'log-chars',
  'log-words',
  'word-length',
  'long-words',
  'longest-word',
  'digits',
  'numbers',
  'capitals',
  'non-ascii',
  'punctuation',
  'questions',
  'commas',
  'sentences',
  'lines',
  'list-items',
  'quotes',
  'brackets',
  'maths-signs',
  'code-signs',
  'distinct-words',
] as const;

/** The text of which a vector is made: longer ones lose their middle, so that no prompt takes long. */
const maxChars = 8_000;
const headChars = 4_000;
const maxTokens = 4_096;

const kindOther = 0;
const kindLetter = 1;
const kindDigit = 2;
const kindSpace = 3;
const kindIdeograph = 4;

/** Kinds of the first 128 characters. */
const asciiKinds = Uint8Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code);
  if (/[a-z]/i.test(char)) return kindLetter;
  if (/[0-9]/.test(char)) return kindDigit;
  return /\s/.test(char) ? kindSpace : kindOther;
});

/**
 * Turns text into numbers: twenty measures of its form, and its words, signs and pairs of them, hashed into a fixed number of
 * buckets. One pass over the characters, no allocation to speak of; the result is overwritten by the next call.
 *
 * Case, runs of white space and surrounding white space change nothing.
 */
export class TextFeatures {
  /** How long the vectors are: the measures, then the buckets. */
  readonly columns: number;
  /** Of the last text: the indices that are not zero, the first `count` of them. */
  readonly indices: Int32Array;
  /** The values at `indices`: measures as they are, words so that their squares add up to 1. */
  readonly values: Float64Array;
  /** How many entries the last text has. */
  count = 0;
  /** The measures of the last text. */
  readonly dense: Float64Array = new Float64Array(denseFeatureNames.length);
  readonly #buckets: number;
  readonly #counts: Uint16Array;
  readonly #offset: number;

  /** @param buckets a power of two. */
  constructor(buckets: number) {
    requireNumber(buckets, 'buckets', { integer: true, min: 16, max: 1 << 20 });
    // Hashes are cut by a mask.
    if ((buckets & (buckets - 1)) !== 0) requireNumber(Number.NaN, 'buckets (a power of two)');
    this.#buckets = buckets;
    this.#offset = denseFeatureNames.length;
    this.columns = this.#offset + buckets;
    this.#counts = new Uint16Array(buckets);
    const most = this.#offset + Math.min(buckets, 2 * maxTokens);
    this.indices = new Int32Array(most);
    this.values = new Float64Array(most);
  }

  /** Measures a text. */
  read(text: string): void {
    this.#clear();
    const cut = text.length > maxChars;
    const ends = cut ? [headChars, text.length] : [text.length];
    const form = new TextForm();
    let tokens = 0;
    let previous = 0;
    let hash = 0;
    let letters = 0;
    let digits = 0;
    let at = 0;
    for (const end of ends) {
      for (; at <= end; at++) {
        // The end of a part ends a word, too.
        let code = at < end ? text.charCodeAt(at) : 0x20;
        let kind = kindOther;
        if (code < 128) {
          kind = asciiKinds[code] as number;
          if (code >= 0x41 && code <= 0x5a) {
            form.capitals++;
            code |= 0x20;
          }
        } else {
          form.nonAscii++;
          kind = kindOf(code);
          if (kind === kindLetter) code = lower(code);
        }
        if (kind === kindLetter) {
          hash = Math.imul(hash ^ code, 0x01000193);
          letters++;
          continue;
        }
        if (kind === kindDigit) {
          form.digits++;
          digits++;
          // A number says how long it is, not which it is; a digit within a word stays what it is.
          hash = Math.imul(hash ^ (letters === 0 ? 0x30 : code), 0x01000193);
          continue;
        }
        if (letters + digits > 0) {
          form.word(letters + digits, letters === 0);
          if (tokens++ < maxTokens) previous = this.#token(hash, previous);
          hash = 0;
          letters = 0;
          digits = 0;
        }
        if (kind === kindIdeograph) {
          form.word(1, false);
          if (tokens++ < maxTokens) previous = this.#token(Math.imul(code, 0x01000193), previous);
        } else if (at < end) {
          form.sign(code, kind === kindSpace);
          if (kind !== kindSpace && tokens++ < maxTokens) {
            previous = this.#token(Math.imul(code, 0x01000193), previous);
          }
        }
      }
      at = text.length - (maxChars - headChars);
    }
    const words = this.#finish();
    form.measure(this.dense, text.length, Math.min(text.length, maxChars), words);
    for (let i = 0; i < this.#offset; i++) {
      this.indices[i] = i;
      this.values[i] = this.dense[i] as number;
    }
  }

  #clear(): void {
    for (let i = this.#offset; i < this.count; i++)
      this.#counts[(this.indices[i] as number) - this.#offset] = 0;
    this.count = this.#offset;
  }

  /** Counts a word, and the pair that it makes with the one before. */
  #token(raw: number, previous: number): number {
    const word = mix(raw);
    this.#add(word);
    if (previous !== 0) this.#add(mix(Math.imul(previous, 31) + word));
    return word === 0 ? 1 : word;
  }

  #add(hash: number): void {
    const bucket = hash & (this.#buckets - 1);
    const count = this.#counts[bucket] as number;
    if (count === 0) this.indices[this.count++] = bucket + this.#offset;
    if (count < 0xffff) this.#counts[bucket] = count + 1;
  }

  /** How many different words and pairs there were. */
  #finish(): number {
    let squares = 0;
    for (let i = this.#offset; i < this.count; i++) {
      const value = 1 + Math.log(this.#counts[(this.indices[i] as number) - this.#offset] as number);
      this.values[i] = value;
      squares += value * value;
    }
    const scale = squares === 0 ? 0 : 1 / Math.sqrt(squares);
    for (let i = this.#offset; i < this.count; i++) this.values[i] = (this.values[i] as number) * scale;
    return this.count - this.#offset;
  }
}

/** Spreads a hash over all its bits (the finaliser of MurmurHash3). */
function mix(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function kindOf(code: number): number {
  if (code >= 0x3040 && code <= 0x9fff) return kindIdeograph; // kana and Chinese characters stand without spaces
  if (code === 0xa0 || code === 0x3000 || (code >= 0x2000 && code <= 0x200b) || code === 0x2028)
    return kindSpace;
  if (code < 0xc0 || (code >= 0x2010 && code <= 0x2bff) || (code >= 0xff00 && code <= 0xff20))
    return kindOther;
  return kindLetter;
}

function lower(code: number): number {
  return code < 0x590 ? String.fromCharCode(code).toLowerCase().charCodeAt(0) : code;
}
