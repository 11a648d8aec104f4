import { calibrateRouter } from '../../src/calibrate/calibrate-router.ts';
import type { RouteReport } from '../../src/evaluate/route-report.ts';
import type { GainModel } from '../../src/learned/gain-model.ts';
import { seededRandom, shuffled } from '../../src/measure/seeded-random.ts';
import type { OutcomeRow } from '../../src/outcomes/outcome.ts';
import { type DataSet, type SetName, sets } from './data.ts';
import { modelName, routerOf } from './in-domain.ts';
import { f3, type Page, percent } from './page.ts';

/** How often promises hold, with the guarantee and without. */
export function promises(page: Page, { rows }: DataSet, model: GainModel): void {
  page.title('Promises: keep 95 % of the strong model’s quality (MMLU, model of 1,500 rows, 95 % sure)');
  page.head(
    'rows',
    'broken without the guarantee',
    'broken with it',
    'strong calls with it',
    'without it',
    'refused',
  );
  const fresh = rows.filter(({ prompt }) => !model.wasTrainedOn(prompt));
  const columns = {
    gain: fresh.map(({ prompt }) => model.gain(prompt)),
    weak: fresh.map(({ outcomes }) => outcomes[model.weak]?.score ?? 0),
    strong: fresh.map(({ outcomes }) => outcomes[model.strong]?.score ?? 0),
  };
  const trials = 200;
  for (const size of [200, 500, 1_000, 3_000]) {
    const seen = { naive: 0, broken: 0, kept: 0, refused: 0, share: 0, naiveShare: 0 };
    for (let trial = 0; trial < trials; trial++) {
      const order = shuffled(fresh.length, seededRandom(1_000 * size + trial));
      const sample = Array.from(order.subarray(0, size), (index) => fresh[index] as OutcomeRow);
      try {
        const { calibration } = calibrateRouter(sample, {
          model: model,
          promise: { kind: 'quality', keep: 0.95 },
          seed: trial,
        }).json;
        if (calibration === undefined) throw new Error('not calibrated');
        const rest = order.subarray(size);
        const keeps = (threshold: number): boolean => {
          let [routed, best] = [0, 0];
          for (const index of rest) {
            const up = (columns.gain[index] ?? 0) >= threshold;
            routed += (up ? columns.strong[index] : columns.weak[index]) ?? 0;
            best += columns.strong[index] ?? 0;
          }
          return routed >= 0.95 * best;
        };
        seen.kept++;
        if (!keeps(calibration.point.threshold)) seen.broken++;
        if (!keeps(calibration.unguarded.threshold)) seen.naive++;
        seen.share += calibration.point.strongShare;
        seen.naiveShare += calibration.unguarded.strongShare;
      } catch {
        seen.refused++;
      }
    }
    page.row(
      String(size),
      percent(seen.naive / seen.kept),
      percent(seen.broken / trials),
      percent(seen.share / seen.kept),
      percent(seen.naiveShare / seen.kept),
      percent(seen.refused / trials),
    );
  }
}

/** What a decision costs, and how steady it is. */
export function speed(
  page: Page,
  models: Readonly<Record<SetName, GainModel>>,
  reports: Readonly<Record<SetName, RouteReport>>,
): void {
  page.title('Speed, size, steadiness (models of 1,500 and 650 rows)');
  page.head(
    'set',
    'µs at 500 characters',
    'µs on average',
    'KB of JSON',
    'flips',
    'strong calls under attack',
    'hardened',
    'APGR hardened',
  );
  for (const set of sets) {
    const { probe, hardenedApgr } = routerOf(reports[set], modelName);
    if (probe === undefined) continue;
    const { attack } = probe;
    page.row(
      set,
      probe.microsecondsAt500Chars.toFixed(1),
      probe.microseconds.toFixed(1),
      (JSON.stringify(models[set].json).length / 1_024).toFixed(1),
      percent(probe.flipRate),
      `${percent(attack.before)} to ${percent(attack.inMessage)}`,
      percent(attack.hardened ?? Number.NaN),
      f3(hardenedApgr ?? Number.NaN),
    );
  }
}
