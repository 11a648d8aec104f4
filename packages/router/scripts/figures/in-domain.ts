import { evaluateRouters, heldOutName } from '../../src/evaluate/evaluate-routers.ts';
import type { ReportedRouter, RouteReport } from '../../src/evaluate/route-report.ts';
import type { GainModel } from '../../src/learned/gain-model.ts';
import { tableRows } from '../../src/learned/outcome-table.ts';
import { trainRouterModel } from '../../src/learned/train-router-model.ts';
import { type DataSet, metricsOf, type SetName, seeds, sets } from './data.ts';
import { mean, one, overSamples, type Page, withInterval } from './page.ts';
import { nameInReport, rules } from './rules.ts';

/** How many rows models are trained on. */
const trainedRows: Readonly<Record<SetName, number>> = { mmlu: 1_500, gsm8k: 650 };

/** A model for each set, and the reports on all routers. */
export interface InDomain {
  readonly models: Readonly<Record<SetName, GainModel>>;
  readonly reports: Readonly<Record<SetName, RouteReport>>;
}

export const modelName = 'model';

/** Routers without and with training, on queries like those they were trained on. */
export async function inDomain(page: Page, data: Readonly<Record<SetName, DataSet>>): Promise<InDomain> {
  page.title('In domain');
  page.head('router', 'MMLU (14,037): APGR; CPT50 / CPT80', 'GSM8K (1,307): APGR; CPT50 / CPT80');
  const models = {} as Record<SetName, GainModel>;
  const reports = {} as Record<SetName, RouteReport>;
  for (const set of sets) {
    const { rows } = data[set];
    models[set] = await trainRouterModel(rows, {
      rows: trainedRows[set],
      seed: 1,
      verifier: false,
      fallback: false,
    });
    reports[set] = await evaluateRouters(rows, {
      routers: [{ name: modelName, model: models[set] }, ...rules.map(({ router }) => router)],
    });
  }
  const figures = (set: SetName, name: string): string => {
    const { apgr, cpt50, cpt80 } = routerOf(reports[set], name);
    return `${apgr === undefined ? '-' : withInterval(apgr)}; ${one(cpt50)} / ${one(cpt80)}`;
  };
  const both = (shown: string, name: string): void =>
    page.row(shown, figures('mmlu', name), figures('gsm8k', name));
  both('random', 'random');
  for (const { key } of rules) both(nameInReport[key], nameInReport[key]);
  both('**`LengthClassifier`: three tiers by length, our default**', 'length tiers');
  both('prompt length', 'prompt length');
  const trained = { mmlu: await overSeeds(data.mmlu), gsm8k: await overSeeds(data.gsm8k) };
  page.row(
    '**trained on 1,500 (MMLU) and 650 (GSM8K) rows, 10 samples**',
    ...sets.map((set) => {
      const { apgr, cpt50, cpt80 } = trained[set];
      return `${overSamples(apgr)}; ${mean(cpt50).toFixed(1)} / ${mean(cpt80).toFixed(1)}`;
    }),
  );
  both('learned, each row predicted without itself (5- and 10-fold)', heldOutName);
  both('oracle (knows every score)', 'oracle');
  page.row(
    'best published by RouteLLM (1,500 MMLU labels + 65,000 others)',
    '0.603; 35.4 / 70.3',
    '0.622; 33.6 / 63.3',
  );
  page.say();
  page.say(
    `With its default fallback, training keeps what it has learnt in ${trained.mmlu.kept} of 10 of these samples of MMLU and in ` +
      `${trained.gsm8k.kept} of 10 of GSM8K; in the others it goes by length.`,
  );
  return { models, reports };
}

/** A router of a report. */
export function routerOf({ routers }: RouteReport, name: string): ReportedRouter {
  const found = routers.find((router) => router.name === name);
  if (found === undefined) throw new Error(`No router ${name}.`);
  return found;
}

async function overSeeds({ name, rows, table }: DataSet): Promise<{
  readonly apgr: readonly number[];
  readonly cpt50: readonly number[];
  readonly cpt80: readonly number[];
  readonly kept: number;
}> {
  const found = { apgr: [] as number[], cpt50: [] as number[], cpt80: [] as number[], kept: 0 };
  for (const seed of seeds) {
    const options = { rows: trainedRows[name], seed, verifier: false };
    const byDefault = await trainRouterModel(rows, options);
    const { form } = byDefault.json;
    if (form === 'learned') found.kept++;
    const model =
      form === 'learned' ? byDefault : await trainRouterModel(rows, { ...options, fallback: false });
    const fresh = Int32Array.from(table.texts.keys()).filter(
      (row) => !model.wasTrainedOn(table.texts[row] as string),
    );
    const { apgr, cpt50, cpt80 } = metricsOf(tableRows(table, fresh), (text) => model.gainOfText(text));
    found.apgr.push(apgr);
    found.cpt50.push(cpt50);
    found.cpt80.push(cpt80);
  }
  return found;
}
