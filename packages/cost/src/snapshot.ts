import { ConfigError, parseUsd, usdDecimal } from '@synapsekit/core';
import { Books, type BooksLimits, maxModels } from './books.ts';
import type { NameBucket } from './scope-names.ts';
import { maxDepth, type PathNode } from './scope-tree.ts';
import { type Amounts, countNames, Totals } from './totals.ts';

/** Sums in a snapshot. */
export interface SnapshotTotals extends Omit<Amounts, 'pico' | 'picoNumber'> {
  /** Dollars, exact, as a decimal string. */
  readonly usd: string;
}

/** One path of scopes in a snapshot: what was recorded right there, and the paths below it. */
export interface SnapshotNode {
  readonly name: string;
  readonly own: SnapshotTotals;
  readonly children: readonly SnapshotNode[];
}

/** All totals of a tracker, as plain data that survives JSON exactly. */
export interface CostSnapshot {
  /** Version of this shape. */
  readonly version: 1;
  readonly total: SnapshotTotals;
  readonly models: readonly { readonly id: string; readonly totals: SnapshotTotals }[];
  readonly scopes: readonly {
    readonly name: string;
    readonly totals: SnapshotTotals;
    /** True for a group that names fold into. */
    readonly group: boolean;
  }[];
  readonly foldedScopeNames: number;
  /** The root, called `""`. */
  readonly tree: SnapshotNode;
}

/** Writes the totals out. */
export function toSnapshot({ total, models, names, tree }: Books): CostSnapshot {
  return {
    version: 1,
    total: write(total),
    models: [...models].map(([id, totals]) => ({ id, totals: write(totals) })),
    scopes: [...names].map(({ name, totals, isGroup }) => ({ name, totals: write(totals), group: isGroup })),
    foldedScopeNames: names.folded,
    tree: writeNode(tree.root),
  };
}

/**
 * Reads totals back.
 *
 * @throws ConfigError for anything that `toSnapshot` did not write: another version, a missing or wrong field, parts
 *   that do not add up to the total.
 */
export function fromSnapshot(snapshot: unknown, limits: BooksLimits): Books {
  const { version, total, models, scopes, foldedScopeNames, tree } = object(snapshot, 'snapshot');
  if (version !== 1) {
    throw refused('version', `must be 1, got ${typeof version === 'number' ? version : typeof version}`);
  }
  const books = new Books(limits);
  read(total, 'total', books.total);
  for (const [index, entry] of list(models, 'models').entries()) {
    const { id, totals } = object(entry, `models[${index}]`);
    const key = text(id, `models[${index}].id`);
    if (books.models.has(key)) throw refused(`models[${index}].id`, 'stands twice');
    // One more than the limit: the id that takes the overflow.
    if (index > maxModels) throw refused('models', `must not be more than ${maxModels + 1}`);
    books.models.set(key, read(totals, `models[${index}].totals`));
  }
  const buckets = new Map<string, NameBucket>();
  for (const [index, entry] of list(scopes, 'scopes').entries()) {
    const { name, totals, group } = object(entry, `scopes[${index}]`);
    const key = text(name, `scopes[${index}].name`);
    if (buckets.has(key)) throw refused(`scopes[${index}].name`, 'stands twice');
    if (typeof group !== 'boolean') throw refused(`scopes[${index}].group`, 'must be true or false');
    const bucket = books.names.load(key, group);
    read(totals, `scopes[${index}].totals`, bucket.totals);
    buckets.set(key, bucket);
  }
  readNode(tree, books, buckets);
  requireSum(books);
  books.names.loaded(count(foldedScopeNames, 'foldedScopeNames'));
  return books;
}

function write({ pico, ...rest }: Amounts): SnapshotTotals {
  const { calls, inputTokens, cachedInputTokens, outputTokens, reasoningTokens } = rest;
  return {
    usd: usdDecimal(pico),
    calls,
    inputTokens,
    cachedInputTokens,
    outputTokens,
    reasoningTokens,
    estimatedCalls: rest.estimatedCalls,
    unpricedCalls: rest.unpricedCalls,
  };
}

function writeNode({ bucket, own, children }: PathNode): SnapshotNode {
  return {
    name: bucket?.name ?? '',
    own: write(own),
    children: [...(children?.values() ?? [])].map(writeNode),
  };
}

function read(value: unknown, where: string, into: Totals = new Totals()): Totals {
  const fields = object(value, where);
  const usd = text(fields.usd, `${where}.usd`);
  try {
    into.pico = parseUsd(usd, `${where}.usd`, 'exact');
  } catch (cause) {
    throw refused(`${where}.usd`, 'must be an exact amount of dollars', cause);
  }
  for (const name of countNames) into[name] = count(fields[name], `${where}.${name}`);
  return into;
}

function readNode(value: unknown, books: Books, buckets: ReadonlyMap<string, NameBucket>): void {
  const { name, own, children } = object(value, 'tree');
  if (name !== '') throw refused('tree.name', 'must be ""');
  read(own, 'tree.own', books.tree.root.own);
  readChildren(children, books.tree.root, 1);

  function readChildren(nodes: unknown, above: PathNode, depth: number): void {
    const seen = new Set<string>();
    for (const entry of list(nodes, 'children')) {
      if (depth > maxDepth) throw refused('tree', `must not be deeper than ${maxDepth}`);
      const { name, own, children } = object(entry, 'a path in tree');
      const key = text(name, 'the name of a path in tree');
      const bucket = buckets.get(key);
      if (bucket === undefined) throw refused('tree', 'has a name that is not among the scopes');
      if (seen.has(key)) throw refused('tree', 'has the same path twice');
      seen.add(key);
      const node = books.tree.child(above, bucket);
      node.own.add(read(own, 'own'));
      readChildren(children, node, depth + 1);
    }
  }
}

/** Models add up to the total, and so do paths: a snapshot where they do not was tampered with, or torn. */
function requireSum({ total, models, tree }: Books): void {
  const byModel = new Totals();
  for (const totals of models.values()) byModel.add(totals);
  const byPath = new Totals();
  const nodes = [tree.root];
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    byPath.add(node.own);
    nodes.push(...(node.children?.values() ?? []));
  }
  for (const [what, sum] of [
    ['models', byModel],
    ['tree', byPath],
  ] as const) {
    for (const name of ['pico', 'calls'] as const) {
      if (sum[name] !== total[name]) throw refused(what, `does not add up to the total (${name})`);
    }
  }
}

function object(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw refused(where, 'must be an object');
}

function list(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw refused(where, 'must be a list');
}

function text(value: unknown, where: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw refused(where, 'must be a non-empty string');
}

function count(value: unknown, where: string): number {
  if (Number.isInteger(value) && (value as number) >= 0) return value as number;
  throw refused(where, 'must be a whole number >= 0');
}

function refused(where: string, why: string, cause?: unknown): ConfigError {
  return new ConfigError(`This is not a snapshot of a CostTracker: ${where} ${why}. Nothing was changed.`, {
    option: 'snapshot',
    cause,
  });
}
