import { formatUsd, parseUsd } from '@synapsekit/core';
import type { CalibrationJson, RoutePromise, RouterModelJson, ValidationJson } from '@synapsekit/router';
import type { Estimate } from '@synapsekit/router/offline';

/** `0.639 [0.61, 0.67]` */
export function withInterval({ value, low, high }: Estimate, digits = 3): string {
  return `${value.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;
}

/** `42 %`, or `42.3 %` where that says more. */
export function percent(share: number, digits = 0): string {
  return `${(share * 100).toFixed(digits)} %`;
}

/** Dollars, from a number that was measured: six digits are more than it holds. */
export function usd(value: number): string {
  return formatUsd(parseUsd(Number(value.toPrecision(4))));
}

/** What was trained, and what it is worth. */
export function trainingText(
  json: RouterModelJson,
  { output, bytes }: { readonly output: string; readonly bytes: number },
): string {
  const { form, validation, groupValidation, training, verifier, weak, strong } = json;
  const lines = [
    `Trained on ${training.rows} rows: ${json.models.map(({ name, meanScore }) => `${name} (${meanScore.toFixed(3)})`).join(', ')}`,
    ...(validation === undefined ? [] : [validationLine('Rows held out', validation)]),
    ...(groupValidation === undefined ? [] : [validationLine('Groups held out', groupValidation)]),
    form === 'learned'
      ? `The model predicts by what it has learnt where ${strong} is better than ${weak}.`
      : 'What was learnt is not clearly better than prompt length: the model goes by length. More rows may change that.',
  ];
  if (form === 'learned' && validation !== undefined && validation.advantage.low <= 0) {
    lines.push(
      `By how much is not sure yet; that it says something which length does not, is (p = ${validation.beyondLength.p.toPrecision(2)}).`,
    );
  }
  if (form === 'learned' && groupValidation !== undefined && groupValidation.advantage.low <= 0) {
    lines.push(
      'On kinds of queries that it has not seen it is not clearly better than length: train again when they change.',
    );
  }
  if (verifier !== undefined) lines.push(`It also reads the answers of ${weak}: a cascade can use that.`);
  lines.push(`Wrote ${output} (${(bytes / 1_024).toFixed(1)} KB).`);
  return `${lines.join('\n')}\n`;
}

function validationLine(what: string, { apgr, lengthApgr, advantage, folds }: ValidationJson): string {
  const ahead = `${advantage.value >= 0 ? '+' : ''}${withInterval(advantage)}`;
  return `${what} (${folds} parts): APGR ${withInterval(apgr)}, prompt length ${lengthApgr.toFixed(3)}, ahead by ${ahead}`;
}

/** What is promised, and what the guarantee costs. */
export function calibrationText(json: RouterModelJson, calibration: CalibrationJson, output: string): string {
  const { promise, confidence, rows, point, unguarded } = calibration;
  const row = (name: string, { strongShare, quality, costUsd }: CalibrationJson['point']): string =>
    `  ${name.padEnd(21)}  ${percent(strongShare, 1).padStart(7)} strong calls  quality ${quality.toFixed(3)}` +
    ` (${percent(quality / calibration.strongQuality, 1)} of ${json.strong})` +
    (costUsd === undefined ? '' : `  ${usd(costUsd)} per query`);
  const more = point.strongShare - unguarded.strongShare;
  const cost =
    promise.kind === 'quality'
      ? `The guarantee costs ${percent(Math.max(0, more), 1)} more strong calls`
      : `The guarantee gives up ${percent(Math.max(0, -more), 1)} of strong calls`;
  const gap =
    promise.kind === 'quality' && point.strongShare === 0
      ? `${json.weak} alone keeps it: for so little no router is needed.`
      : point.threshold === unguarded.threshold
        ? 'The guarantee costs nothing here.'
        : `${cost}; without it the promise breaks about every other time.`;
  return [
    `Promise: ${promiseText(promise, json.strong)}; ${percent(confidence, 1)} sure, from ${rows} fresh rows.`,
    row('with the guarantee', point),
    row('just so on these rows', unguarded),
    gap,
    `Wrote ${output}. It holds for traffic like these rows: CalibratedRouter reports drift.`,
    '',
  ].join('\n');
}

function promiseText(promise: RoutePromise, strong: string): string {
  switch (promise.kind) {
    case 'quality':
      return `at least ${percent(promise.keep, 1)} of the quality of ${strong}`;
    case 'cost':
      return `at most ${usd(promise.maxCostUsd)} per query on average`;
    case 'share':
      return `at most ${percent(promise.maxStrongShare, 1)} of calls to ${strong}`;
  }
}
