import { formatUsd, parseUsd, wrap } from '@synapsekit/core';
import { CostTracker, trackCost } from '@synapsekit/cost';
import { SimulatedProvider } from '@synapsekit/testing';
import { inOrder } from './in-order.ts';
import { learnFromTraffic, type RoutedModels, routersOf } from './learn-routers.ts';
import { isRight, type MadeUpQuestion, madeUpAnswer, madeUpQuestion } from './made-up-questions.ts';
import { Meter } from './meter.ts';
import { connectModels, tutorialModels } from './models.ts';
import { endpointsOf, type Stage } from './stage.ts';
import { type Cell, printTable } from './table.ts';

const logged = 208;
const asked = 48;

/** What one way of routing came to. */
interface RoutingFacts {
  readonly way: string;
  readonly right: number;
  readonly costUsd: string;
  readonly strongCalls: number;
}

/** What the chapter came to. */
export interface RoutersFacts {
  readonly logged: number;
  readonly asked: number;
  readonly ways: readonly RoutingFacts[];
}

/** The tutorial's table beside routers that have learnt from outcomes: the same questions, the right answers and the bill. */
export async function routersChapter(stage: Stage): Promise<RoutersFacts> {
  const { terminal, claims, signal } = stage;
  terminal.heading('5  Routers that have learnt');
  const questions = Array.from({ length: logged + asked }, (_, index) => madeUpQuestion(index));
  const provider = await startMadeUpProvider(questions);
  try {
    const tracker = new CostTracker({ onWarning: () => {} });
    const { cheap, medium, strong } = connectModels(tutorialModels, endpointsOf(provider));
    const models: RoutedModels = {
      cheap: wrap(cheap, trackCost(tracker)),
      medium: wrap(medium, trackCost(tracker)),
      strong: wrap(strong, trackCost(tracker)),
    };
    terminal.prose(
      `${logged} made-up questions are answered by ${cheap.id} and, in the shadow, by ${strong.id}; both are scored and logged. That trains a router that reads the question and a verifier that reads the cheap answer. Then ${asked} new questions:`,
    );
    terminal.line();
    const { model, rows } = await learnFromTraffic(
      models,
      questions.slice(0, logged),
      tracker.prices,
      signal,
    );
    const { table, learned, cascade } = routersOf(models, model, tracker.prices);
    const ways = [
      [`always ${cheap.model}`, models.cheap],
      ["the tutorial's table", table],
      ['learned: reads the question', learned],
      ['cascade: reads the answer', cascade],
      [`always ${strong.model}`, models.strong],
    ] as const;
    const facts: RoutingFacts[] = [];
    for (const [way, llm] of ways) {
      const meter = new Meter(provider);
      const before = provider.requests.length;
      let right = 0;
      const fresh = questions.slice(logged);
      await inOrder(
        fresh,
        8,
        async (question) => isRight(question, (await llm.generate(question.text, { signal })).text),
        (ok) => {
          if (ok) right++;
        },
      );
      await provider.idle();
      const strongCalls = provider.requests
        .slice(before)
        .filter((request) => request.model === strong.model).length;
      facts.push({ way, right, costUsd: meter.billedUsd, strongCalls });
    }
    printWays(stage, facts);
    check(stage, facts, rows.length);
    claims.checkEqual('tracker = bill, shadow calls and verifiers included', {
      tracker: tracker.summary().exact.totalUsd,
      bill: provider.bill.totalUsdExact,
    });
    return { logged, asked, ways: facts };
  } finally {
    await provider.close();
  }
}

/** Answers the made-up questions as well as each model can; what classifies is answered by the usual rules. */
function startMadeUpProvider(questions: readonly MadeUpQuestion[]): Promise<SimulatedProvider> {
  const byText = new Map(questions.map((question) => [question.text, question]));
  return SimulatedProvider.start({
    answers: ({ userText, model }) => {
      const question = byText.get(userText);
      return question === undefined ? undefined : madeUpAnswer(question, model);
    },
  });
}

function printWays({ terminal }: Stage, facts: readonly RoutingFacts[]): void {
  const best = facts.at(-1) as RoutingFacts;
  const share = (part: number, whole: number): string => `${Math.round((100 * part) / whole)} %`;
  const rows = facts.map(({ way, right, costUsd, strongCalls }): Cell[] => [
    way,
    `${right}`,
    { text: share(right, best.right), style: 'bold' },
    formatUsd(costUsd),
    { text: share(Number(costUsd), Number(best.costUsd)), style: 'bold' },
    `${strongCalls}`,
  ]);
  const titles = [`right of ${asked}`, 'of best', 'cost', 'of best', 'strong'];
  printTable(terminal, [{ title: '' }, ...titles.map((title) => ({ title, align: 'right' }) as const)], rows);
  terminal.line();
  terminal.prose(
    'How good the models are at which question is made up here, and easy to learn. On real outcomes the differences are smaller: docs/router.md has them.',
    'dim',
  );
  terminal.line();
}

function check({ claims }: Stage, facts: readonly RoutingFacts[], rows: number): void {
  const [, table, learned, cascade, dearest] = facts as readonly [
    RoutingFacts,
    RoutingFacts,
    RoutingFacts,
    RoutingFacts,
    RoutingFacts,
  ];
  const costs = ({ costUsd }: RoutingFacts): bigint => parseUsd(costUsd);
  claims.check('every logged question became a row with both scores', rows === logged, `${rows} rows`);
  claims.check(
    'both have more right answers than the table',
    Math.min(learned.right, cascade.right) > table.right,
    `${learned.right} and ${cascade.right}, not ${table.right} of ${asked}`,
  );
  claims.check(
    'the cascade keeps 95 % of the strong model for less than two thirds of its price',
    cascade.right >= 0.95 * dearest.right && 3n * costs(cascade) < 2n * costs(dearest),
    `${cascade.right} of its ${dearest.right}`,
  );
}
