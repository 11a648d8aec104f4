import { type PicoUsd, usdDecimal, usdNumber } from '@synapsekit/core';
import type { Books } from './books.ts';
import type { PathNode } from './scope-tree.ts';
import { type SpendTotals, Totals, toSpendTotals } from './totals.ts';

/** One scope in the tree of paths. */
export interface ScopeNode {
  /** Name of the scope; `""` for the root, which holds everything. */
  readonly name: string;
  /** Dollars of everything recorded here and further down. */
  readonly costUsd: number;
  /** The same, exact, as a decimal string. */
  readonly costUsdExact: string;
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly children: readonly ScopeNode[];
}

/** Where the money went. Plain data: `JSON.stringify` it, print it, keep it. */
export interface CostSummary extends Omit<SpendTotals, 'costUsd' | 'costUsdExact'> {
  /** Dollars in all. */
  readonly totalUsd: number;
  /**
   * Dollars by scope name, inclusive: a record counts once in each distinct name on its path, so the values add up to
   * more than the total where scopes nest. In the order of their first records.
   */
  readonly byScope: Readonly<Record<string, number>>;
  /** Dollars by model id. Adds up to the total. */
  readonly byModel: Readonly<Record<string, number>>;
  /** The same amounts, exact, as decimal strings. */
  readonly exact: {
    readonly totalUsd: string;
    readonly byScope: Readonly<Record<string, string>>;
    readonly byModel: Readonly<Record<string, string>>;
  };
  /** How many scope names have been folded into groups (`pipeline:*`). */
  readonly foldedScopeNames: number;
  /** The root of the tree of paths. */
  readonly tree: ScopeNode;
}

/** The totals as plain data. */
export function summarize({ total, names, models, tree }: Books): CostSummary {
  const scopes = [...names].map(({ name, totals }): Amount => [name, totals.pico]);
  const modelAmounts = [...models].map(([id, totals]): Amount => [id, totals.pico]);
  const { costUsd, costUsdExact, ...counts } = toSpendTotals(total);
  return {
    totalUsd: costUsd,
    byScope: record(scopes, usdNumber),
    byModel: record(modelAmounts, usdNumber),
    ...counts,
    exact: {
      totalUsd: costUsdExact,
      byScope: record(scopes, usdDecimal),
      byModel: record(modelAmounts, usdDecimal),
    },
    foldedScopeNames: names.folded,
    tree: nodeOf(tree.root).node,
  };
}

type Amount = readonly [name: string, pico: PicoUsd];

/** `fromEntries` defines own properties, so that a scope may be called `__proto__`. */
function record<T>(amounts: readonly Amount[], show: (pico: PicoUsd) => T): Record<string, T> {
  return Object.fromEntries(amounts.map(([name, pico]) => [name, show(pico)]));
}

function nodeOf(path: PathNode): { readonly node: ScopeNode; readonly sum: Totals } {
  const sum = new Totals();
  sum.add(path.own);
  const children: ScopeNode[] = [];
  for (const child of path.children?.values() ?? []) {
    const { node, sum: below } = nodeOf(child);
    children.push(node);
    sum.add(below);
  }
  const { costUsd, costUsdExact, calls, inputTokens, outputTokens } = toSpendTotals(sum);
  const name = path.bucket?.name ?? '';
  return { node: { name, costUsd, costUsdExact, calls, inputTokens, outputTokens, children }, sum };
}
