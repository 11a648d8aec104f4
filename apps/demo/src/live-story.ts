import { formatUsd, parseUsd } from '@synapsekit/core';
import type { DemoArguments } from './arguments.ts';
import { limitOf } from './booked.ts';
import { evalsChapter } from './chapter-evals.ts';
import { queriesChapter } from './chapter-queries.ts';
import { nameOf } from './choose-models.ts';
import { Claims } from './claims.ts';
import { settle, toDocument } from './closing.ts';
import { countRequests } from './count-requests.ts';
import { castLive } from './live-models.ts';
import { connectModels } from './models.ts';
import { createPipeline } from './pipeline.ts';
import { refusedBeforeSending } from './refused-before-sending.ts';
import type { DemoIo } from './run-demo.ts';
import type { Stage } from './stage.ts';
import { Terminal } from './terminal.ts';

/** Every model may be asked for 2,048 tokens: none of them may be so cheap that this fits. */
const tooLittleUsd = 0.00001;

/** The same story with real providers, as far as it can be told there. True if everything it claims was so. */
export async function liveStory({ json, budgetUsd }: DemoArguments, io: DemoIo): Promise<boolean> {
  const { signal, env, ledger } = io;
  const terminal = json ? Terminal.silent() : new Terminal(io.stdout, env);
  const stage: Stage = { terminal, claims: new Claims(terminal), signal };
  terminal.line(terminal.paint('bold', 'SynapseKit: a cost-aware pipeline, live'));
  terminal.line(
    terminal.paint(
      'dim',
      `Real providers and your keys. The budget guard lets at most ${formatUsd(budgetUsd)} be spent.`,
    ),
  );
  const { choices, castings } = await castLive(terminal, env, signal);
  const models = connectModels(choices);
  // A store goes on counting after this run: what may be spent in all is what may be spent today.
  const limits = ledger === undefined ? { total: budgetUsd } : { daily: budgetUsd };
  const pipeline = createPipeline({ models, limits, ledger, onWarning: () => {} });

  const queries = await queriesChapter(stage, pipeline);
  terminal.heading('2  A provider goes down');
  terminal.prose(
    'Left out: a real provider cannot be taken down on cue. Without --live the demo shows it.',
    'dim',
  );
  terminal.heading('3  Budgets that hold');
  const counter = countRequests();
  const refusal = await refusedBeforeSending(stage, models.strong, tooLittleUsd, () => counter.sent).finally(
    counter.stop,
  );
  terminal.prose('The burst of 200 queries is left out: it would cost you something.', 'dim');
  terminal.heading('4  Evals, with costs that are measured');
  const evals = await evalsChapter(stage, pipeline);

  const { totalUsdExact } = pipeline.tracker;
  const { committedUsdExact } = await limitOf(pipeline.guard, ledger === undefined ? 'total' : 'daily');
  if (ledger === undefined) {
    stage.claims.checkEqual('tracker = budget guard', { tracker: totalUsdExact, guard: committedUsdExact });
  } else {
    const counted = parseUsd(committedUsdExact) >= parseUsd(totalUsdExact);
    stage.claims.check('what the tracker has is in the store', counted, `$${committedUsdExact} today`);
  }
  const within = parseUsd(totalUsdExact) <= parseUsd(budgetUsd);
  stage.claims.check('within the budget', within, `${formatUsd(totalUsdExact)} of ${formatUsd(budgetUsd)}`);
  terminal.line();
  const roles = Object.fromEntries(
    castings.map(({ role, chosen, reasons }) => [role, { model: nameOf(chosen), reasons }]),
  );
  const facts = {
    mode: 'live',
    models: roles,
    spentUsd: totalUsdExact,
    chapters: { queries, refusal, evals },
  };
  if (json) io.stdout.write(toDocument(stage.claims, facts));
  return settle(terminal, stage.claims);
}
