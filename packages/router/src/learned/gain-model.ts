import { ConfigError, type Prompt, requireNumber } from '@synapsekit/core';
import { queryText } from '../query.ts';
import { Fingerprints } from './fingerprints.ts';
import { unpackWeights } from './int8-weights.ts';
import {
  checkRouterModel,
  type LearnedHeadJson,
  type LengthHeadJson,
  type RouterModelJson,
} from './router-model.ts';
import { denseFeatureNames, TextFeatures } from './text-features.ts';

/** How much a measure weighs against the words of a text. Part of the model format. */
export const denseScale = 0.07;
/** A measure counts for at most so many standard deviations: nobody buys a strong call with a long run of signs. */
export const denseClip = 3;

const measures = denseFeatureNames.length;
const leastEnding = { most: 200, least: 50 };

interface Head {
  readonly bias: number;
  readonly dense: Float64Array;
  readonly words: Float32Array;
}

/**
 * Predicts, for each model of a pool, the chance that it answers a query well; what is bought with the dearer model is
 * the difference, the gain. No network and no native code: some microseconds a query.
 *
 * Only the last user message counts, and of one that is longer than 99 % of those in training only its end.
 */
export class GainModel {
  /** Names of the models, in the order of the file. */
  readonly models: readonly string[];
  readonly weak: string;
  readonly strong: string;
  /** What it was made of. */
  readonly json: RouterModelJson;
  readonly #clipChars: number;
  readonly #features: TextFeatures;
  readonly #heads: readonly Head[];
  readonly #lines: readonly LengthHeadJson[];
  readonly #mean: Float64Array;
  readonly #scale: Float64Array;
  readonly #weak: number;
  readonly #strong: number;
  #seen: Fingerprints | undefined;

  /** @throws ConfigError for what is no router model, or one of another version. */
  constructor(json: unknown) {
    const model = checkRouterModel(json);
    this.json = model;
    this.models = model.models.map(({ name }) => name);
    this.weak = model.weak;
    this.strong = model.strong;
    this.#weak = this.models.indexOf(model.weak);
    this.#strong = this.models.indexOf(model.strong);
    this.#clipChars = model.clipChars;
    this.#features = new TextFeatures(model.buckets);
    this.#mean = Float64Array.from(model.dense.mean);
    this.#scale = Float64Array.from(model.dense.sd, (sd) => (sd > 0 ? 1 / sd : 0));
    const learned = model.form === 'learned';
    this.#heads = learned
      ? model.heads.map((head, index) => readHead(head as LearnedHeadJson, model, index))
      : [];
    this.#lines = learned ? [] : model.heads.map((head) => readLine(head as LengthHeadJson));
  }

  /**
   * The chance, by model, that its answer is good.
   *
   * @param options `hardened`: what models are better by than the weak one is taken as in
   *   `hardenedGain`. @default false
   */
  predict(
    prompt: Prompt,
    { hardened = false }: { readonly hardened?: boolean } = {},
  ): Readonly<Record<string, number>> {
    const text = queryText(prompt).slice(-this.#clipChars);
    this.#read(text);
    const whole = this.models.map((_, index) => this.#quality(index));
    if (hardened) {
      const base = whole[this.#weak] as number;
      for (const chars of endings(text.length, this.#clipChars)) {
        this.#read(text.slice(-chars));
        const ending = this.#quality(this.#weak);
        for (const [index, quality] of whole.entries()) {
          whole[index] = base + Math.min(quality - base, this.#quality(index) - ending);
        }
      }
    }
    return Object.fromEntries(this.models.map((name, index) => [name, clamp(whole[index] as number)]));
  }

  /** How much better the strong model's answer is expected to be than the weak one's: what to sort queries by. */
  gain(prompt: Prompt): number {
    return this.gainOfText(queryText(prompt));
  }

  /** `gain` of a query that is text already. */
  gainOfText(text: string): number {
    this.#read(text);
    return this.#quality(this.#strong) - this.#quality(this.#weak);
  }

  /**
   * A gain that a prefix cannot lift far: the smallest one of the whole text, its last half, its last quarter and so on,
   * down to its last 200 characters (half of the clip, if that is less). What it costs in quality and withstands, `synapsekit route eval` measures.
   */
  hardenedGain(prompt: Prompt): number {
    const text = queryText(prompt).slice(-this.#clipChars);
    let least = this.gainOfText(text);
    for (const chars of endings(text.length, this.#clipChars))
      least = Math.min(least, this.gainOfText(text.slice(-chars)));
    return least;
  }

  /** The chances of all models for a text, in their order, written into `into`. */
  predictText(text: string, into: Float64Array): void {
    this.#read(text);
    for (let index = 0; index < this.models.length; index++) into[index] = clamp(this.#quality(index));
  }

  /** True when it was trained on this query (and, now and then, when it was not). */
  wasTrainedOn(prompt: Prompt): boolean {
    this.#seen ??= Fingerprints.fromJSON(this.json.training.fingerprints);
    return this.#seen.has(queryText(prompt));
  }

  #read(text: string): void {
    const features = this.#features;
    features.read(text.length > this.#clipChars ? text.slice(-this.#clipChars) : text);
    for (let j = 0; j < measures; j++) {
      const z = ((features.dense[j] as number) - (this.#mean[j] as number)) * (this.#scale[j] as number);
      features.values[j] =
        this.#lines.length > 0 ? z : denseScale * Math.max(-denseClip, Math.min(denseClip, z));
    }
  }

  #quality(index: number): number {
    const line = this.#lines[index];
    const { values, indices, count } = this.#features;
    if (line !== undefined) return line.intercept + line.slope * (values[0] as number);
    const { bias, dense, words } = this.#heads[index] as Head;
    let margin = bias;
    for (let j = 0; j < measures; j++) margin += (dense[j] as number) * (values[j] as number);
    for (let k = measures; k < count; k++) {
      margin += (words[(indices[k] as number) - measures] as number) * (values[k] as number);
    }
    return 1 / (1 + Math.exp(-margin));
  }
}

function readHead(head: LearnedHeadJson, model: RouterModelJson, index: number): Head {
  if (!Array.isArray(head?.dense) || head.dense.length !== measures) {
    throw new ConfigError(`heads[${index}].dense must hold ${measures} weights.`, { option: 'model' });
  }
  return {
    bias: requireNumber(head.bias, `heads[${index}].bias`),
    dense: Float64Array.from(head.dense, (weight) => requireNumber(weight, `heads[${index}].dense`)),
    words: unpackWeights(head.words, model.buckets, `heads[${index}].words`),
  };
}

function readLine(head: LengthHeadJson): LengthHeadJson {
  return {
    intercept: requireNumber(head?.intercept, 'heads[].intercept'),
    slope: requireNumber(head?.slope, 'heads[].slope'),
  };
}

/** Lengths of the ends of a text that are scored on their own. */
function endings(length: number, clipChars: number): readonly number[] {
  const floor = Math.max(leastEnding.least, Math.min(leastEnding.most, Math.floor(clipChars / 2)));
  const found: number[] = [];
  for (let part = 2; part <= 16; part *= 2) {
    const chars = Math.max(floor, Math.floor(length / part));
    if (chars < length && chars !== found.at(-1)) found.push(chars);
  }
  return found;
}

function clamp(value: number): number {
  return Math.max(0, Math.min(1, value));
}
