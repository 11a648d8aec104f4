import type { PathNode } from './scope-tree.ts';
import { Totals } from './totals.ts';

/** The most groups (`pipeline:*`) that folding makes; further names fold into `*`. */
export const maxGroups = 100;

/** Everything recorded under one scope name. */
export class NameBucket {
  readonly name: string;
  readonly totals: Totals = new Totals();
  /** Runs of this name that have not ended. */
  open = 0;
  /** A group takes the totals of folded names, and is never folded itself. */
  isGroup: boolean;
  foldedInto: NameBucket | undefined;
  /** Neighbours in the list of idle names, oldest first. */
  older: NameBucket | undefined;
  newer: NameBucket | undefined;

  /** Nearly every name stands in one place only, and a set for each of them would be most of what it weighs. */
  #node: PathNode | undefined;
  #others: Set<PathNode> | undefined;

  constructor(name: string, isGroup = false) {
    this.name = name;
    this.isGroup = isGroup;
  }

  /** Where the name stands in the tree of paths: a copy. */
  get nodes(): readonly PathNode[] {
    return this.#node === undefined ? [...(this.#others ?? [])] : [this.#node, ...(this.#others ?? [])];
  }

  addNode(node: PathNode): void {
    if (this.#node === undefined) {
      this.#node = node;
      return;
    }
    this.#others ??= new Set();
    this.#others.add(node);
  }

  deleteNode(node: PathNode): void {
    if (this.#node === node) this.#node = undefined;
    else this.#others?.delete(node);
  }
}

/** The bucket that counts now: itself, or the group that it was folded into. */
export function currentBucket(bucket: NameBucket): NameBucket {
  return bucket.foldedInto ?? bucket;
}

/**
 * All scope names, at most so many. Beyond that, the idle name that was used longest ago folds into its group:
 * `pipeline:1234` into `pipeline:*`, a name without a colon into `*`. A group has the exact sum of what its names
 * had. Everything takes constant time.
 */
export class ScopeNames {
  readonly #buckets = new Map<string, NameBucket>();
  readonly #maxNames: number;
  readonly #onFold: (from: NameBucket, into: NameBucket) => void;
  #groups = 0;
  #folded = 0;
  #oldestIdle: NameBucket | undefined;
  #newestIdle: NameBucket | undefined;

  constructor(maxNames: number, onFold: (from: NameBucket, into: NameBucket) => void) {
    this.#maxNames = maxNames;
    this.#onFold = onFold;
  }

  /** Distinct names held now, groups included. */
  get size(): number {
    return this.#buckets.size;
  }

  /** How many names have been folded into groups. */
  get folded(): number {
    return this.#folded;
  }

  get(name: string): NameBucket | undefined {
    return this.#buckets.get(name);
  }

  [Symbol.iterator](): MapIterator<NameBucket> {
    return this.#buckets.values();
  }

  /** The bucket of a name; `open` when a run of it begins to use it. */
  acquire(name: string, open: boolean): NameBucket {
    let bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      bucket = new NameBucket(name);
      this.#buckets.set(name, bucket);
    } else if (!bucket.isGroup && bucket.open === 0) {
      this.#unlink(bucket);
    }
    if (open) bucket.open++;
    else if (!bucket.isGroup && bucket.open === 0) this.#link(bucket);
    this.#evict();
    return currentBucket(bucket);
  }

  /** A run that used the bucket has ended. */
  release(bucket: NameBucket): void {
    bucket.open--;
    if (bucket.open > 0 || bucket.isGroup) return;
    this.#link(bucket);
    this.#evict();
  }

  /** An idle name was used again. */
  touch(bucket: NameBucket): void {
    if (bucket.isGroup || bucket.open > 0 || this.#newestIdle === bucket) return;
    this.#unlink(bucket);
    this.#link(bucket);
  }

  /** Takes over a bucket of a snapshot. */
  load(name: string, isGroup: boolean): NameBucket {
    const bucket = new NameBucket(name, isGroup);
    this.#buckets.set(name, bucket);
    if (isGroup) this.#groups++;
    else this.#link(bucket);
    return bucket;
  }

  /** The end of loading: folds what is too much. */
  loaded(folded: number): void {
    this.#folded = folded;
    this.#evict();
  }

  #evict(): void {
    while (this.#buckets.size - this.#groups > this.#maxNames) {
      const bucket = this.#oldestIdle;
      if (bucket === undefined) return; // all of them are open
      const into = this.#groupFor(bucket.name);
      // The oldest name itself was called like its group, and has become it.
      if (into === bucket) continue;
      this.#unlink(bucket);
      this.#buckets.delete(bucket.name);
      bucket.foldedInto = into;
      into.totals.add(bucket.totals);
      this.#folded++;
      this.#onFold(bucket, into);
    }
  }

  #groupFor(name: string): NameBucket {
    const colon = name.indexOf(':');
    const wanted = colon === -1 ? '*' : `${name.slice(0, colon)}:*`;
    const groupName = this.#buckets.has(wanted) || this.#groups < maxGroups ? wanted : '*';
    let group = this.#buckets.get(groupName);
    if (group?.isGroup === true) return group;
    if (group === undefined) {
      group = new NameBucket(groupName);
      this.#buckets.set(groupName, group);
    } else if (group.open === 0) {
      this.#unlink(group);
    }
    group.isGroup = true;
    this.#groups++;
    return group;
  }

  #link(bucket: NameBucket): void {
    bucket.older = this.#newestIdle;
    bucket.newer = undefined;
    if (this.#newestIdle === undefined) this.#oldestIdle = bucket;
    else this.#newestIdle.newer = bucket;
    this.#newestIdle = bucket;
  }

  #unlink(bucket: NameBucket): void {
    if (bucket.older === undefined) this.#oldestIdle = bucket.newer;
    else bucket.older.newer = bucket.newer;
    if (bucket.newer === undefined) this.#newestIdle = bucket.older;
    else bucket.newer.older = bucket.older;
    bucket.older = undefined;
    bucket.newer = undefined;
  }
}
