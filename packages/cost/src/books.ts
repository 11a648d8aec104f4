import type { Attachment, ScopeFrame } from './scope-frame.ts';
import { currentBucket, ScopeNames } from './scope-names.ts';
import { currentNode, type PathNode, ScopeTree } from './scope-tree.ts';
import { type Amounts, Totals } from './totals.ts';

/** More model ids than this are booked under `*`: ids are configuration, but nobody keeps users from making them up. */
export const maxModels = 1_000;

/** How much may be kept. */
export interface BooksLimits {
  readonly maxScopeNames: number;
  readonly maxScopePaths: number;
}

/** All totals of a tracker, since its last reset. Nothing here grows with the number of calls. */
export class Books {
  readonly total: Totals = new Totals();
  readonly models: Map<string, Totals> = new Map();
  readonly tree: ScopeTree;
  readonly names: ScopeNames;

  constructor({ maxScopeNames, maxScopePaths }: BooksLimits) {
    this.tree = new ScopeTree(maxScopePaths);
    this.names = new ScopeNames(maxScopeNames, (from, into) => this.tree.fold(from, into));
  }

  /** Adds to everything that a record in this scope belongs to: total, each distinct name once, the path. */
  bookScope(frame: ScopeFrame | undefined, amounts: Amounts): void {
    this.total.add(amounts);
    if (frame === undefined) {
      this.tree.root.own.add(amounts);
      return;
    }
    currentNode(this.#attachment(frame).node).own.add(amounts);
    for (let scope: ScopeFrame | undefined = frame; scope !== undefined; scope = scope.parent) {
      if (!scope.countsForName) continue;
      const bucket = currentBucket(this.#attachment(scope).bucket);
      bucket.totals.add(amounts);
      if (!scope.open) this.names.touch(bucket);
    }
  }

  bookModel(modelId: string, amounts: Amounts): void {
    this.model(modelId).add(amounts);
  }

  model(modelId: string): Totals {
    const known = this.models.get(modelId);
    if (known !== undefined) return known;
    const id = this.models.size < maxModels ? modelId : '*';
    const totals = this.models.get(id) ?? new Totals();
    this.models.set(id, totals);
    return totals;
  }

  /** A run of a scope has ended: its name may be folded from now on. */
  release({ attachment }: ScopeFrame): void {
    if (attachment?.books === this) this.names.release(attachment.bucket);
  }

  /** Names and paths come into being with the first record, outermost first: a scope that cost nothing has none. */
  #attachment(frame: ScopeFrame): Attachment {
    if (frame.attachment?.books === this) return frame.attachment;
    const missing: ScopeFrame[] = [];
    let scope = frame.parent;
    for (; scope !== undefined && scope.attachment?.books !== this; scope = scope.parent) missing.push(scope);
    let node = scope?.attachment?.node ?? this.tree.root;
    for (const outer of missing.reverse()) node = this.#attach(outer, node).node;
    return this.#attach(frame, node);
  }

  #attach(frame: ScopeFrame, above: PathNode): Attachment {
    const bucket = this.names.acquire(frame.name, frame.open);
    // Only now: making room for the name may have moved the path above it.
    const node = this.tree.child(currentNode(above), bucket);
    frame.attachment = { books: this, bucket, node };
    return frame.attachment;
  }
}
