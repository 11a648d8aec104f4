import { heldOutName } from '../../src/evaluate/evaluate-routers.ts';
import type { RouteReport } from '../../src/evaluate/route-report.ts';
import { defaultL2 } from '../../src/learned/build-model.ts';
import { evenFolds, heldOutQuality } from '../../src/learned/held-out.ts';
import { bucketsFor, textMatrix } from '../../src/learned/learn-heads.ts';
import { type OutcomeTable, pairOf, tableRows } from '../../src/learned/outcome-table.ts';
import type { Estimate } from '../../src/measure/bootstrap.ts';
import { measureGap } from '../../src/measure/measure-gap.ts';
import { seededRandom } from '../../src/measure/seeded-random.ts';
import { type DataSet, onTheRest, type SetName, seeds } from './data.ts';
import { overSamples, type Page, spread, whether, withInterval } from './page.ts';
import { nameInReport, rules } from './rules.ts';

/** What the first study measured on the same files, with code of its own. */
const study = {
  rules: {
    length: [0.583, 0.598],
    verbs: [0.532, 0.501],
    'litellm score': [0.584, 0.538],
    'litellm tier': [0.504, 0.502],
  },
  samples: {
    mmlu: [
      [100, 0.579],
      [300, 0.606],
      [1_500, 0.639],
      [5_000, 0.666],
    ],
    gsm8k: [
      [100, 0.595],
      [300, 0.623],
      [650, 0.67],
    ],
  },
  folds: { mmlu: 0.684, gsm8k: 0.669 },
  unseen: 0.634,
  within: 0.565,
  withoutMoral: { sample: 0.601, folds: 0.659 },
} as const;

const biggestGroup = 'moral_scenarios';

/** Sections 3.1 and 3.2 of the first study, measured again, and whether its figures lie in our intervals. */
export async function besideStudy(
  page: Page,
  data: Readonly<Record<SetName, DataSet>>,
  reports: Readonly<Record<SetName, RouteReport>>,
): Promise<void> {
  page.title('Beside the first study');
  page.head('figure', 'set', 'here', 'first study', 'in our interval');
  const interval = (name: string, set: SetName, ours: Estimate | undefined, theirs: number): void => {
    if (ours === undefined) throw new Error(`No figure for ${name}.`);
    page.row(name, set, withInterval(ours), theirs.toFixed(3), whether(theirs, ours));
  };
  const samples = (name: string, set: SetName, ours: readonly number[], theirs: number): void =>
    page.row(name, set, overSamples(ours), theirs.toFixed(3), whether(theirs, spread(ours)));

  for (const [place, set] of (['mmlu', 'gsm8k'] as const).entries()) {
    const report = reports[set];
    const found = (name: string) => report.routers.find((router) => router.name === name)?.apgr;
    interval('prompt length', set, found('prompt length'), study.rules.length[place] as number);
    for (const { key } of rules) {
      interval(nameInReport[key], set, found(nameInReport[key]), study.rules[key][place] as number);
    }
    for (const [rows, theirs] of study.samples[set]) {
      const ours = seeds.map((seed) => onTheRest(data[set].table, rows, seed).apgr);
      samples(`trained on ${rows.toLocaleString('en-US')} rows, 10 samples`, set, ours, theirs);
    }
    interval(set === 'mmlu' ? '5-fold' : '10-fold', set, found(heldOutName), study.folds[set]);
  }

  const whole = reports.mmlu.routers.find((router) => router.name === heldOutName);
  interval('whole subjects unseen (10 parts)', 'mmlu', whole?.leaveGroupOut, study.unseen);
  interval('within each subject', 'mmlu', whole?.withinGroups, study.within);
  const { table } = data.mmlu;
  const moral = table.groupNames.indexOf(biggestGroup);
  const others = tableRows(
    table,
    Int32Array.from(table.groups.keys()).filter((row) => table.groups[row] !== moral),
  );
  const apart = seeds.map((seed) => onTheRest(others, 1_500, seed).apgr);
  samples(`1,500 rows, without ${biggestGroup}`, 'mmlu', apart, study.withoutMoral.sample);
  interval(`5-fold, without ${biggestGroup}`, 'mmlu', await byFolds(others), study.withoutMoral.folds);
}

async function byFolds(table: OutcomeTable): Promise<Estimate | undefined> {
  const texts = textMatrix(table.texts, bucketsFor(table.models.length, false));
  const folds = evenFolds(table, 5, seededRandom(1));
  const options = { l2: defaultL2(table.rows), breathe: async () => {} };
  const [weak, strong] = await heldOutQuality(table, texts, [table.weak, table.strong], folds, options);
  const scores = Float64Array.from(strong ?? [], (value, row) => value - (weak?.[row] ?? 0));
  return measureGap({ scores, ...pairOf(table) }, { random: seededRandom(1) })?.apgr;
}
