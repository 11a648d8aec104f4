import { parseUsd, usdDecimal } from '@synapsekit/core';
import type { CostWarning } from '@synapsekit/cost';
import type { DemoArguments } from './arguments.ts';
import { limitOf } from './booked.ts';
import { budgetChapter } from './chapter-budget.ts';
import { evalsChapter } from './chapter-evals.ts';
import { outageChapter } from './chapter-outage.ts';
import { type QueriesFacts, queriesChapter, tutorialQueries } from './chapter-queries.ts';
import { routersChapter } from './chapter-routers.ts';
import { Claims } from './claims.ts';
import { closing, settle, toDocument } from './closing.ts';
import { Meter } from './meter.ts';
import { connectModels, tutorialModels } from './models.ts';
import { createPipeline, type Pipeline } from './pipeline.ts';
import type { DemoIo } from './run-demo.ts';
import { startProvider } from './simulated.ts';
import { endpointsOf, type SimulatedStage } from './stage.ts';
import { Terminal } from './terminal.ts';

/** The tutorial's whole story against a simulated provider. True if everything it claims was so. */
export async function story({ json }: DemoArguments, io: DemoIo): Promise<boolean> {
  const startMs = performance.now();
  const terminal = json ? Terminal.silent() : new Terminal(io.stdout, io.env);
  const provider = await startProvider();
  try {
    const claims = new Claims(terminal);
    const { signal, ledger } = io;
    const stage: SimulatedStage = { terminal, claims, provider, signal, ledger };
    introduce(stage);
    const warnings: CostWarning[] = [];
    const pipeline = createPipeline({
      models: connectModels(tutorialModels, endpointsOf(provider)),
      limits: { perRequest: 0.1, daily: 50 },
      ledger,
      onWarning: (warning) => warnings.push(warning),
    });
    const queries = await queriesChapter(stage, pipeline, provider.bill);
    await compareWithBill(stage, pipeline, queries);
    await askAtOnce(stage, pipeline, queries);
    const outage = await outageChapter(stage);
    const budget = await budgetChapter(stage);
    const meter = new Meter(provider);
    terminal.heading('4  Evals, with costs that are measured');
    const evals = await evalsChapter(stage, pipeline);
    claims.checkEqual('what the evals measured is what the provider charges', {
      measured: evals.cost.usd,
      bill: meter.billedUsd,
    });
    const routers = await routersChapter(stage);

    const totals = { requests: provider.requests.length, billedUsd: provider.bill.totalUsdExact };
    closing(terminal, { ...totals, warnings, seconds: (performance.now() - startMs) / 1_000 });
    const facts = { mode: 'simulated', ...totals, chapters: { queries, outage, budget, evals, routers } };
    if (json) io.stdout.write(toDocument(claims, facts));
    return settle(terminal, claims);
  } finally {
    await provider.close();
  }
}

function introduce({ terminal, provider }: SimulatedStage): void {
  terminal.line(terminal.paint('bold', 'SynapseKit: a cost-aware pipeline over two providers'));
  terminal.prose(
    `The official openai and groq-sdk clients, at a simulated provider on port ${provider.port}. No key needed.`,
    'dim',
  );
}

/** Three books, one number: the tracker's, the guard's, and the provider's own. */
async function compareWithBill(
  { claims, provider, ledger }: SimulatedStage,
  { guard }: Pipeline,
  { queries, summary }: QueriesFacts,
): Promise<void> {
  const told = tutorialQueries.every(({ meant }, index) => queries[index]?.complexity === meant);
  const kinds = (['simple', 'medium', 'complex'] as const).map(
    (kind) => `${queries.filter(({ complexity }) => complexity === kind).length} ${kind}`,
  );
  claims.check('each query was classified as the tutorial means it', told, kinds.join(', '));
  const { committedUsdExact } = await limitOf(guard, 'daily');
  const { totalUsdExact: totalUsd } = provider.bill;
  if (ledger === undefined) {
    claims.checkEqual("tracker = budget guard = provider's bill, to the last pico-dollar", {
      tracker: summary.exact.totalUsd,
      guard: committedUsdExact,
      bill: totalUsd,
    });
    return;
  }
  claims.checkEqual("tracker = provider's bill, to the last pico-dollar", {
    tracker: summary.exact.totalUsd,
    bill: totalUsd,
  });
  const counted = parseUsd(committedUsdExact) >= parseUsd(totalUsd);
  claims.check('the store has it, beside what others spent today', counted, `$${committedUsdExact}`);
}

/** The same queries all at once: no scope may see what another one costs. */
async function askAtOnce(
  { claims, provider, signal }: SimulatedStage,
  { tracker, ask }: Pipeline,
  { queries, summary }: QueriesFacts,
): Promise<void> {
  await Promise.all(
    tutorialQueries.map(({ query }, index) => ask(query, { name: `again-${index}`, signal })),
  );
  const alike = queries.every(
    (_, index) =>
      tracker.scopeCostExact(`pipeline:again-${index}`) === summary.exact.byScope[`pipeline:batch-${index}`],
  );
  const detail = `$${usdDecimal(provider.bill.totalPico)} for both rounds`;
  claims.check('asked again, all at once, each costs the same in its own scope', alike, detail);
}
