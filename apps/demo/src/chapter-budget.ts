import { formatUsd, parseUsd } from '@synapsekit/core';
import { type BurstFacts, checkThenSpend, reserveThenSpend } from './burst.ts';
import { connectModels, tutorialModels } from './models.ts';
import { type RefusalFacts, refusedBeforeSending } from './refused-before-sending.ts';
import { endpointsOf, type SimulatedStage } from './stage.ts';
import { type Cell, printTable } from './table.ts';

const perRequestUsd = 0.01;
const burst = { queries: 200, dailyUsd: 0.005 };

/** What the chapter came to. */
export interface BudgetFacts {
  readonly refusal: RefusalFacts;
  readonly limitUsd: number;
  readonly checked: BurstFacts;
  readonly reserved: BurstFacts;
}

/** A refusal costs nothing, and a limit holds however many ask at once. */
export async function budgetChapter(stage: SimulatedStage): Promise<BudgetFacts> {
  const { terminal, claims, provider, ledger } = stage;
  const { queries, dailyUsd } = burst;
  terminal.heading('3  Budgets that hold');
  const { strong } = connectModels(tutorialModels, endpointsOf(provider));
  const refusal = await refusedBeforeSending(stage, strong, perRequestUsd, () => provider.requests.length);

  terminal.line();
  terminal.prose(`${queries} queries at once to gpt-4o-mini, and a daily limit of ${formatUsd(dailyUsd)}:`);
  terminal.line();
  const checked = await checkThenSpend(stage, burst);
  const reserved = await reserveThenSpend(stage, burst);
  printBursts(stage, [
    ['checkBefore', checked],
    ['enforceBudget', reserved],
  ]);
  terminal.prose(
    'A crowd passes the same check together. enforceBudget sets the worst case of each call aside before it is sent, gives back what it did not cost, and refuses what would no longer fit.',
    'dim',
  );
  terminal.line();

  const { admitted, refused, requests, spentUsd, earlierUsd, bookedUsd, billedUsd } = reserved;
  const within = parseUsd(bookedUsd) <= parseUsd(dailyUsd) && parseUsd(billedUsd) <= parseUsd(dailyUsd);
  claims.check(`${queries} at once do not pass the daily limit`, within, `$${bookedUsd} of $${dailyUsd}`);
  // Of a limit that is shared, others may have taken everything.
  const some = ledger !== undefined || (admitted > 0 && refused > 0);
  claims.check(
    'what was admitted was sent once, what was refused was not sent',
    requests === admitted && admitted + refused === queries && some,
    `${requests} requests`,
  );
  if (ledger === undefined) {
    claims.checkEqual('tracker = budget guard = bill', {
      tracker: spentUsd,
      guard: bookedUsd,
      bill: billedUsd,
    });
  } else {
    claims.checkEqual('tracker = bill', { tracker: spentUsd, bill: billedUsd });
    const shared = parseUsd(bookedUsd) >= parseUsd(earlierUsd) + parseUsd(billedUsd);
    claims.check('the store has it, beside what other demos spent', shared, `$${earlierUsd} before`);
  }
  return { refusal, limitUsd: dailyUsd, checked, reserved };
}

function printBursts(
  { terminal }: SimulatedStage,
  bursts: readonly (readonly [how: string, facts: BurstFacts])[],
): void {
  const limit = parseUsd(burst.dailyUsd);
  const rows = bursts.map(([how, { admitted, refused, spentUsd, leftUsd, billedUsd }]): Cell[] => {
    const over = parseUsd(billedUsd) > limit;
    return [
      how,
      `${admitted}`,
      `${refused}`,
      { text: formatUsd(spentUsd), style: over ? 'red' : 'green' },
      formatUsd(limit),
      over ? 'overspent' : formatUsd(leftUsd),
      formatUsd(billedUsd),
    ];
  });
  const titles = ['admitted', 'refused', 'spent', 'limit', 'left', "provider's bill"];
  const columns = titles.map((title) => ({ title, align: 'right' }) as const);
  printTable(terminal, [{ title: '' }, ...columns], rows);
  terminal.line();
}
