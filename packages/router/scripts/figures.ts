/**
 * Measures what docs/router.md says, and prints its tables: `pnpm router:figures [FOLDER]`. The folder holds
 * mmlu.jsonl.gz and gsm8k.jsonl.gz; without it, SYNAPSEKIT_ROUTER_DATA, or ../shared/data/router beside the repository.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { calibrateRouter } from '../src/calibrate/calibrate-router.ts';
import { evaluateRouters, heldOutName } from '../src/evaluate/evaluate-routers.ts';
import type { ReportedRouter } from '../src/evaluate/route-report.ts';
import type { GainModel } from '../src/learned/gain-model.ts';
import { trainRouterModel } from '../src/learned/train-router-model.ts';
import type { Estimate } from '../src/measure/bootstrap.ts';
import { measureGap } from '../src/measure/measure-gap.ts';
import { seededRandom, shuffled } from '../src/measure/seeded-random.ts';
import type { OutcomeRow } from '../src/outcomes/outcome.ts';
import { readOutcomes } from '../src/outcomes/read-outcomes.ts';
import { measureVerifier } from '../src/verify/measure-verifier.ts';

const folder =
  process.argv[2] ??
  process.env.SYNAPSEKIT_ROUTER_DATA ??
  join(import.meta.dirname, '../../../../shared/data/router');
const file = (name: string): string => join(folder, `${name}.jsonl.gz`);
if (!existsSync(file('mmlu'))) {
  console.error(`No mmlu.jsonl.gz in ${folder}. Name the folder: pnpm router:figures FOLDER`);
  process.exit(2);
}

const say = (line = ''): void => console.log(line);
const row = (...cells: readonly string[]): void => say(`| ${cells.join(' | ')} |`);
const head = (...cells: readonly string[]): void => {
  row(...cells);
  row(...cells.map(() => '---'));
};
const f3 = (value: number): string => value.toFixed(3);
const inside = ({ value, low, high }: Estimate): string => `${f3(value)} [${f3(low)}, ${f3(high)}]`;
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const one = (estimate: Estimate | undefined): string => estimate?.value.toFixed(1) ?? '-';
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values: readonly number[]): number =>
  Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));

const mmlu = await readOutcomes(file('mmlu'));
const gsm8k = await readOutcomes(file('gsm8k'));
const weak = 'mixtral-8x7b';
const strong = 'gpt-4-1106';

/** A trained model on rows that it has not seen. */
function onFresh(model: GainModel, rows: readonly OutcomeRow[]): NonNullable<ReturnType<typeof measureGap>> {
  const fresh = rows.filter(({ prompt }) => !model.wasTrainedOn(prompt));
  const found = measureGap(
    {
      scores: fresh.map(({ prompt }) => model.gain(prompt)),
      weak: fresh.map(({ outcomes }) => outcomes[weak]?.score ?? 0),
      strong: fresh.map(({ outcomes }) => outcomes[strong]?.score ?? 0),
    },
    { draws: 1_000, random: seededRandom(1) },
  );
  if (found === undefined) throw new Error('The strong model is not better.');
  return found;
}

say('## In domain');
say();
head('router', 'MMLU (14,037): APGR; CPT50 / CPT80', 'GSM8K (1,307): APGR; CPT50 / CPT80');
const models = {
  mmlu: await trainRouterModel(mmlu, { rows: 1_500, seed: 1, verifier: false }),
  gsm8k: await trainRouterModel(gsm8k, { rows: 650, seed: 1, verifier: false, fallback: false }),
};
const reports = {
  mmlu: await evaluateRouters(mmlu, { routers: [{ name: 'model', model: models.mmlu }] }),
  gsm8k: await evaluateRouters(gsm8k, { routers: [{ name: 'model', model: models.gsm8k }] }),
};
const routerOf = (set: 'mmlu' | 'gsm8k', name: string): ReportedRouter => {
  const found = reports[set].routers.find((router) => router.name === name);
  if (found === undefined) throw new Error(`No router ${name}.`);
  return found;
};
const figures = ({ apgr, cpt50, cpt80 }: Pick<ReportedRouter, 'apgr' | 'cpt50' | 'cpt80'>): string =>
  `${apgr === undefined ? '-' : inside(apgr)}; ${one(cpt50)} / ${one(cpt80)}`;
for (const name of ['random', 'prompt length', heldOutName, 'oracle']) {
  row(name, figures(routerOf('mmlu', name)), figures(routerOf('gsm8k', name)));
}

const seeds = Array.from({ length: 10 }, (_, seed) => seed + 1);
const trained: { mmlu: number[]; cpt50: number[]; cpt80: number[]; gsm8k: number[]; fellBack: number } = {
  ...{ mmlu: [], cpt50: [], cpt80: [], gsm8k: [], fellBack: 0 },
};
for (const seed of seeds) {
  const kept = await trainRouterModel(mmlu, { rows: 1_500, seed, verifier: false, fallback: false });
  const found = onFresh(kept, mmlu);
  trained.mmlu.push(found.apgr.value);
  trained.cpt50.push(found.cpt50.value);
  trained.cpt80.push(found.cpt80.value);
  if ((kept.json.validation?.advantage.low ?? 0) <= 0) trained.fellBack++;
  const small = await trainRouterModel(gsm8k, { rows: 650, seed, verifier: false, fallback: false });
  trained.gsm8k.push(onFresh(small, gsm8k).apgr.value);
}
row(
  `trained on 1,500 (MMLU) and 650 (GSM8K) labels, ${seeds.length} samples`,
  `${f3(mean(trained.mmlu))} ± ${f3(deviation(trained.mmlu))} (worst ${f3(Math.min(...trained.mmlu))}); ${mean(trained.cpt50).toFixed(1)} / ${mean(trained.cpt80).toFixed(1)}`,
  `${f3(mean(trained.gsm8k))} ± ${f3(deviation(trained.gsm8k))} (worst ${f3(Math.min(...trained.gsm8k))})`,
);
say();
say(
  `In ${trained.fellBack} of ${seeds.length} of these MMLU samples, 1,500 rows do not prove that, and training falls back to length.`,
);

say();
say('## Out of domain');
say();
head('trained on', 'measured on', 'APGR', 'prompt length');
const unseen = routerOf('mmlu', heldOutName);
row(
  'MMLU, whole subjects left out',
  'those subjects',
  unseen.leaveGroupOut === undefined ? '-' : inside(unseen.leaveGroupOut),
  f3(unseen.lengthApgr ?? 0),
);
row(
  'MMLU, held out',
  'within each subject',
  f3(unseen.withinGroups ?? 0),
  f3(routerOf('mmlu', 'prompt length').withinGroups ?? 0),
);
const whole = {
  mmlu: await trainRouterModel(mmlu, { verifier: false, fallback: false }),
  gsm8k: await trainRouterModel(gsm8k, { verifier: false, fallback: false }),
};
row(
  'MMLU',
  'GSM8K',
  inside(onFresh(whole.mmlu, gsm8k).apgr),
  f3(routerOf('gsm8k', 'prompt length').apgr?.value ?? 0),
);
row(
  'GSM8K',
  'MMLU',
  inside(onFresh(whole.gsm8k, mmlu).apgr),
  f3(routerOf('mmlu', 'prompt length').apgr?.value ?? 0),
);

say();
say('## Reading the cheap answer (GSM8K, 10-fold)');
say();
head('signal', 'APGR', 'CPT50 / CPT80');
const read = measureVerifier(gsm8k, { weak, strong, folds: 10, seed: 1 });
for (const [name, scores] of [
  ['the answer alone', read.answerOnly],
  ['the answer with the prompt', read.withPrompt],
  ['the gain foreseen from both (what a cascade goes by)', read.gain],
] as const) {
  const found = measureGap({ scores, weak: read.weak, strong: read.strong }, { random: seededRandom(1) });
  if (found !== undefined) row(name, inside(found.apgr), `${one(found.cpt50)} / ${one(found.cpt80)}`);
}

say();
say('## Promises: keep 95 % of the strong model’s quality (MMLU, model of 1,500 labels, 95 % sure)');
say();
head(
  'rows',
  'broken without the guarantee',
  'broken with it',
  'strong calls with it',
  'without it',
  'refused',
);
const fresh = mmlu.filter(({ prompt }) => !models.mmlu.wasTrainedOn(prompt));
const columns = {
  gain: fresh.map(({ prompt }) => models.mmlu.gain(prompt)),
  weak: fresh.map(({ outcomes }) => outcomes[weak]?.score ?? 0),
  strong: fresh.map(({ outcomes }) => outcomes[strong]?.score ?? 0),
};
const trials = 200;
for (const size of [200, 500, 1_000, 3_000]) {
  const seen = { naive: 0, broken: 0, kept: 0, refused: 0, share: 0, naiveShare: 0 };
  for (let trial = 0; trial < trials; trial++) {
    const order = shuffled(fresh.length, seededRandom(1_000 * size + trial));
    const sample = Array.from(order.subarray(0, size), (index) => fresh[index] as OutcomeRow);
    try {
      const { calibration } = calibrateRouter(sample, {
        model: models.mmlu,
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
  row(
    String(size),
    percent(seen.naive / seen.kept),
    percent(seen.broken / trials),
    percent(seen.share / seen.kept),
    percent(seen.naiveShare / seen.kept),
    percent(seen.refused / trials),
  );
}

say();
say('## Speed, size, steadiness (models of 1,500 and 650 labels)');
say();
head(
  'set',
  'us at 500 characters',
  'us on average',
  'KB of JSON',
  'flips',
  'strong calls under attack',
  'hardened',
  'APGR hardened',
);
for (const set of ['mmlu', 'gsm8k'] as const) {
  const { probe, hardenedApgr } = routerOf(set, 'model');
  if (probe === undefined) continue;
  const { attack } = probe;
  row(
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
