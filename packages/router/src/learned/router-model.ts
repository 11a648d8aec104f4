import { ConfigError, requireNumber } from '@synapsekit/core';
import type { CalibrationJson } from '../calibrate/calibration.ts';
import type { Estimate } from '../measure/bootstrap.ts';
import type { VerifierJson } from '../verify/train-verifier.ts';
import type { FingerprintsJson } from './fingerprints.ts';
import type { Int8Weights } from './int8-weights.ts';
import { denseFeatureNames } from './text-features.ts';

/** One model of the pool, as the outcomes saw it. */
export interface PoolModel {
  /** Its name in the outcomes. */
  readonly name: string;
  readonly meanScore: number;
  /** Dollars per call on average, where the outcomes say. */
  readonly costUsd?: number | undefined;
  /** Milliseconds per call on average, where the outcomes say. */
  readonly latencyMs?: number | undefined;
}

/** Predicts whether one model will do: a logistic model over measures and hashed words. */
export interface LearnedHeadJson {
  readonly bias: number;
  /** Weights of the standardised measures. */
  readonly dense: readonly number[];
  readonly words: Int8Weights;
}

/** Predicts by the logarithm of the length alone: a straight line. */
export interface LengthHeadJson {
  readonly intercept: number;
  readonly slope: number;
}

/** How the model did on rows that it was not trained on, when it was trained. */
export interface ValidationJson {
  /** How rows were held out: single rows, or whole groups. */
  readonly by: 'rows' | 'groups';
  readonly folds: number;
  /** APGR of the learned heads on rows held out, with its 95 % interval. */
  readonly apgr: Estimate;
  /** APGR of prompt length on the same rows. */
  readonly lengthApgr: number;
  /** By how much the learned heads are better than length, with the 90 % interval of the paired difference. */
  readonly advantage: Estimate;
  /**
   * What the predicted gains say that length does not: standard deviations above chance among rows of like length, and the
   * chance of finding so much where length is all there is.
   */
  readonly beyondLength: { readonly z: number; readonly p: number };
}

/** A trained router, as `synapsekit route train` writes it. Plain JSON, without a word of any prompt. */
export interface RouterModelJson {
  readonly kind: 'synapsekit-router-model';
  readonly version: 2;
  /** `"length"` where learning was not clearly better. */
  readonly form: 'learned' | 'length';
  readonly models: readonly PoolModel[];
  /** Name of the cheap model of the pair. */
  readonly weak: string;
  /** Name of the best model. */
  readonly strong: string;
  /** Mean and standard deviation of each measure in training. */
  readonly dense: { readonly mean: readonly number[]; readonly sd: readonly number[] };
  readonly buckets: number;
  /** Of longer queries only the end is read: 99 % of those in training were no longer. A long prefix buys nothing. */
  readonly clipChars: number;
  /** One for each model, in their order. */
  readonly heads: readonly (LearnedHeadJson | LengthHeadJson)[];
  /** Gains of the training queries, from the smallest to the largest, at every 2 %: where thresholds are looked for. */
  readonly gains: readonly number[];
  readonly training: {
    readonly rows: number;
    readonly seed: number;
    readonly fingerprints: FingerprintsJson;
  };
  readonly validation?: ValidationJson | undefined;
  /** The same, with whole groups held out. */
  readonly groupValidation?: ValidationJson | undefined;
  /** Reads the weak model's answer; there when the outcomes held responses. */
  readonly verifier?: VerifierJson | undefined;
  /** A promise, added by `synapsekit route calibrate`. */
  readonly calibration?: CalibrationJson | undefined;
}

/**
 * Checks that a value is a router model of a version that can be read.
 *
 * @throws ConfigError that says what is wrong.
 */
export function checkRouterModel(value: unknown): RouterModelJson {
  const fail = (message: string): ConfigError =>
    new ConfigError(`This is no router model: ${message}`, { option: 'model' });
  if (typeof value !== 'object' || value === null) {
    throw fail('it must be the parsed JSON of a file that "synapsekit route train" wrote.');
  }
  const json = value as RouterModelJson;
  if (json.kind !== 'synapsekit-router-model') throw fail('"kind" is not "synapsekit-router-model".');
  if (json.version !== 2) {
    throw fail(`its version is ${JSON.stringify(json.version)}, this release reads 2. Train it again.`);
  }
  if (json.form !== 'learned' && json.form !== 'length') throw fail('"form" must be "learned" or "length".');
  if (!Array.isArray(json.models) || json.models.length < 2) throw fail('it needs two models or more.');
  const names = json.models.map((model: PoolModel | null) => model?.name);
  if (names.some((name) => typeof name !== 'string') || new Set(names).size !== names.length) {
    throw fail('its models need names, each its own.');
  }
  for (const role of ['weak', 'strong'] as const) {
    if (!names.includes(json[role])) throw fail(`"${role}" names none of its models.`);
  }
  if (!Array.isArray(json.heads) || json.heads.length !== names.length)
    throw fail('it needs a head for each model.');
  requireNumber(json.clipChars, 'clipChars', { integer: true, min: 1 });
  if (!Array.isArray(json.gains) || json.gains.length < 2) throw fail('"gains" is missing.');
  for (const gain of json.gains) requireNumber(gain, 'gains');
  for (const list of [json.dense?.mean, json.dense?.sd]) {
    if (!Array.isArray(list) || list.length !== denseFeatureNames.length) {
      throw fail(
        `its measures must be ${denseFeatureNames.length}: it was made by another release. Train it again.`,
      );
    }
    for (const number of list) requireNumber(number, 'dense');
  }
  return json;
}
