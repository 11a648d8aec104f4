import { ConfigError, defineLLM, type LLM, type PriceLookup } from '@synapsekit/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { syntheticOutcomes } from '../../test/synthetic-outcomes.ts';
import { modelFingerprint } from '../learned/model-fingerprint.ts';
import type { RouterModelJson } from '../learned/router-model.ts';
import { trainRouterModel } from '../learned/train-router-model.ts';
import { calibrateRouter } from './calibrate-router.ts';
import { CalibratedRouter } from './calibrated-router.ts';

const llm = (model: string): LLM => defineLLM({ provider: 'test', model, generate: () => model });
const [small, large, other] = [llm('small'), llm('large'), llm('other')];
const pricesOf = (usd: Readonly<Record<string, bigint>>): PriceLookup => ({
  find: ({ model }) => {
    const cost = (): bigint => usd[model] ?? 1n;
    return { provider: 'test', model, source: 'test', costPico: cost, maxCostPico: cost };
  },
});

let json: RouterModelJson;
let another: RouterModelJson;
beforeAll(async () => {
  const promise = { kind: 'quality', keep: 0.9 } as const;
  const calibrated = async (seed: number): Promise<RouterModelJson> => {
    const model = await trainRouterModel(syntheticOutcomes(400, { seed }), { fallback: false });
    return calibrateRouter(syntheticOutcomes(600, { seed: 77 }), { model, promise }).json;
  };
  [json, another] = await Promise.all([calibrated(1), calibrated(2)]);
});

const withPoint = (over: object) => ({
  ...json.calibration,
  point: { ...json.calibration?.point, ...over },
});
const make = (model: unknown, options: object = {}) =>
  new CalibratedRouter({ model, weak: small, strong: large, ...options });

describe('a calibration', () => {
  test('belongs to its model, also when the file was formatted or its keys were sorted', () => {
    const sorted = Object.fromEntries(Object.entries(json).toReversed());
    expect(make(json).calibration).toEqual(json.calibration);
    expect(make(JSON.parse(JSON.stringify(sorted, undefined, 4))).calibration).toEqual(json.calibration);
    expect(modelFingerprint(json)).toBe(json.calibration?.model.fingerprint);
    expect(modelFingerprint(json)).not.toBe(modelFingerprint(another));
  });

  test.each<[string, () => unknown, string]>([
    ['of another model', () => ({ ...json, calibration: another.calibration }), 'made for another model'],
    [
      'of a model that somebody changed',
      () => ({ ...json, clipChars: json.clipChars + 1 }),
      'trained again, or changed, since',
    ],
    [
      'of another pair',
      () => ({ ...json, weak: json.strong, strong: json.weak }),
      'made for small (weak) and large (strong), the model chooses between large and small',
    ],
    [
      'of an older release',
      () => ({ ...json, calibration: { ...json.calibration, model: undefined } }),
      'an older release wrote it. Run "synapsekit route calibrate" on it again.',
    ],
    [
      'without a threshold',
      () => ({ ...json, calibration: { ...json.calibration, point: {} } }),
      'no threshold',
    ],
    [
      'without the share that drift is judged against',
      () => ({ ...json, calibration: withPoint({ strongShare: 'much' }) }),
      'calibration.point.strongShare must be',
    ],
    [
      'with a cost that is none',
      () => ({ ...json, calibration: withPoint({ costUsd: -1 }) }),
      'calibration.point.costUsd must be',
    ],
    ['that is nothing', () => ({ ...json, calibration: null }), 'promises nothing yet'],
    ['that is not there', () => ({ ...json, calibration: undefined }), 'promises nothing yet'],
  ])('%s is refused', (_, model, message) => {
    expect(() => make(model())).toThrow(ConfigError);
    expect(() => make(model())).toThrow(message);
  });
});

describe('the two models', () => {
  test('that were swapped are found out by their names', () => {
    expect(() => make(json, { weak: large, strong: small })).toThrow(
      'weak is test/large, but the trained model calls "large" the other one. Swap them',
    );
    expect(() => make(json, { weak: other, strong: small })).toThrow('strong is test/small, but');
    expect(() => make(json, { weak: small, strong: small })).toThrow('weak and strong are the same model');
  });

  test('with names of their own are found out by their prices', () => {
    const [cheap, dear] = [llm('cheap'), llm('dear')];
    const prices = pricesOf({ cheap: 10n, dear: 900n });
    expect(() => make(json, { weak: dear, strong: cheap, prices })).toThrow(
      'weak (test/dear) is dearer than strong (test/cheap) by the price list',
    );
    expect(make(json, { weak: cheap, strong: dear, prices }).candidates()).toEqual([cheap, dear]);
    // Without prices nothing is known against them.
    expect(make(json, { weak: dear, strong: cheap }).candidates()).toEqual([dear, cheap]);
  });
});
