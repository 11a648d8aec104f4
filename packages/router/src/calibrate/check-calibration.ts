import { ConfigError, type LLM, type PriceLookup, requireNumber } from '@synapsekit/core';
import { modelFingerprint } from '../learned/model-fingerprint.ts';
import type { RouterModelJson } from '../learned/router-model.ts';
import { expectedCostUsd } from '../policy/expected-cost.ts';
import type { CalibrationJson } from './calibration.ts';

const again = 'Run "synapsekit route calibrate" on it again.';

/**
 * The calibration of a model, if it is one that was made for it.
 *
 * @throws ConfigError when there is none, when it was made for another model or another pair, or by a release that did
 *   not write down for which, and when its figures are none.
 */
export function calibrationOf(json: RouterModelJson): CalibrationJson {
  const { calibration, weak, strong } = json;
  const fail = (message: string): ConfigError => new ConfigError(message, { option: 'model' });
  if (calibration === undefined || calibration === null) {
    throw fail('This model promises nothing yet: run "synapsekit route calibrate" on it first.');
  }
  const { model, point } = calibration;
  if (!Number.isFinite(point?.threshold)) {
    throw fail(`The calibration of this model has no threshold. ${again}`);
  }
  if (typeof model?.fingerprint !== 'string') {
    throw fail(
      `The calibration of this model does not say which model it was made for: an older release wrote it. ${again}`,
    );
  }
  if (model.weak !== weak || model.strong !== strong) {
    throw fail(
      `The calibration of this model was made for ${model.weak} (weak) and ${model.strong} (strong), the model chooses ` +
        `between ${weak} and ${strong}. ${again}`,
    );
  }
  if (model.fingerprint !== modelFingerprint(json)) {
    throw fail(
      'The calibration was made for another model: this one was trained again, or changed, since. Its thresholds mean ' +
        `nothing here. ${again}`,
    );
  }
  requireNumber(point.strongShare, 'calibration.point.strongShare', { min: 0, max: 1 });
  if (point.costUsd !== undefined) requireNumber(point.costUsd, 'calibration.point.costUsd', { min: 0 });
  return calibration;
}

/**
 * Makes sure that nobody has put the dear model where the cheap one belongs: by their names, where the trained model knows
 * them, and by their prices, where the outcomes held costs.
 *
 * @throws ConfigError when they have been swapped, or are the same.
 */
export function checkPair(
  { weak, strong }: { readonly weak: LLM; readonly strong: LLM },
  json: RouterModelJson,
  prices: PriceLookup | undefined,
): void {
  const fail = (message: string): ConfigError => new ConfigError(message, { option: 'weak' });
  const swapped = `Swap them: { weak: the model that the file calls "${json.weak}", strong: "${json.strong}" }.`;
  if (weak === strong) {
    throw fail(`weak and strong are the same model (${weak.id}): a router decides between two.`);
  }
  for (const [role, llm, own, other] of [
    ['weak', weak, json.weak, json.strong],
    ['strong', strong, json.strong, json.weak],
  ] as const) {
    if (!isCalled(llm, other) || isCalled(llm, own)) continue;
    throw fail(`${role} is ${llm.id}, but the trained model calls "${other}" the other one. ${swapped}`);
  }
  const costOf = (name: string): number | undefined =>
    json.models.find((model) => model.name === name)?.costUsd;
  const [cheap, dear] = [costOf(json.weak), costOf(json.strong)];
  const [weakUsd, strongUsd] = [weak, strong].map((llm) => expectedCostUsd(llm, '', {}, prices));
  if (cheap === undefined || dear === undefined || weakUsd === undefined || strongUsd === undefined) return;
  if (cheap < dear && weakUsd > strongUsd) {
    throw fail(
      `weak (${weak.id}) is dearer than strong (${strong.id}) by the price list, and in the outcomes ${json.weak} was ` +
        `cheaper than ${json.strong}. ${swapped}`,
    );
  }
}

function isCalled({ id, model }: LLM, name: string): boolean {
  return id === name || model === name;
}
