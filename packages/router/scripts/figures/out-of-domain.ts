import { heldOutName } from '../../src/evaluate/evaluate-routers.ts';
import type { RouteReport } from '../../src/evaluate/route-report.ts';
import { pairOf } from '../../src/learned/outcome-table.ts';
import { trainRouterModel } from '../../src/learned/train-router-model.ts';
import { measureGap } from '../../src/measure/measure-gap.ts';
import { seededRandom } from '../../src/measure/seeded-random.ts';
import { measureVerifier } from '../../src/verify/measure-verifier.ts';
import type { DataSet, SetName } from './data.ts';
import { routerOf } from './in-domain.ts';
import { f3, one, type Page, withInterval } from './page.ts';

/** Routers on kinds of queries that they have not seen. */
export async function outOfDomain(
  page: Page,
  data: Readonly<Record<SetName, DataSet>>,
  reports: Readonly<Record<SetName, RouteReport>>,
): Promise<void> {
  page.title('Out of domain');
  page.head('trained on', 'measured on', 'APGR', 'prompt length');
  const learned = routerOf(reports.mmlu, heldOutName);
  const length = {
    mmlu: routerOf(reports.mmlu, 'prompt length'),
    gsm8k: routerOf(reports.gsm8k, 'prompt length'),
  };
  const shown = (estimate: Parameters<typeof withInterval>[0] | undefined): string =>
    estimate === undefined ? '-' : withInterval(estimate);
  page.row(
    'MMLU, whole subjects left out',
    'those subjects',
    shown(learned.leaveGroupOut),
    f3(length.mmlu.apgr?.value ?? 0),
  );
  page.row(
    'MMLU, held out',
    'within each subject',
    shown(learned.withinGroups),
    f3(length.mmlu.withinGroups?.value ?? 0),
  );
  for (const [from, to] of [
    ['mmlu', 'gsm8k'],
    ['gsm8k', 'mmlu'],
  ] as const) {
    const model = await trainRouterModel(data[from].rows, { verifier: false, fallback: false });
    const { table } = data[to];
    const found = measureGap(
      { scores: table.texts.map((text) => model.gainOfText(text)), ...pairOf(table) },
      { random: seededRandom(1) },
    );
    page.row(from.toUpperCase(), to.toUpperCase(), shown(found?.apgr), f3(length[to].apgr?.value ?? 0));
  }
}

/** What the cheap answer says. */
export function readingAnswers(page: Page, { rows, table }: DataSet): void {
  page.title('Reading the cheap answer (GSM8K, 10-fold)');
  page.head('signal', 'APGR', 'CPT50 / CPT80');
  const [weak, strong] = [table.models[table.weak]?.name ?? '', table.models[table.strong]?.name ?? ''];
  const read = measureVerifier(rows, { weak, strong, folds: 10, seed: 1 });
  for (const [name, scores] of [
    ['the answer alone', read.answerOnly],
    ['the answer with the prompt', read.withPrompt],
    ['the gain foreseen from both (what a cascade goes by)', read.gain],
  ] as const) {
    const found = measureGap({ scores, weak: read.weak, strong: read.strong }, { random: seededRandom(1) });
    if (found !== undefined)
      page.row(name, withInterval(found.apgr), `${one(found.cpt50)} / ${one(found.cpt80)}`);
  }
}
