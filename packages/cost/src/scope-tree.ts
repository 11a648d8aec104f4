import type { NameBucket } from './scope-names.ts';
import { Totals } from './totals.ts';

/** Scopes nested deeper than this are booked at the level above: a tree that overflows no stack, here or in JSON. */
export const maxDepth = 100;

/** One path of scope names. */
export class PathNode {
  parent: PathNode | undefined;
  /** The name at the end of the path; the root has none. */
  bucket: NameBucket | undefined;
  readonly depth: number;
  /** What was recorded right here, not further down. */
  readonly own: Totals = new Totals();
  /** None where there is nothing below: most paths have nothing. */
  children: Map<NameBucket, PathNode> | undefined;
  mergedInto: PathNode | undefined;

  constructor(parent: PathNode | undefined, bucket: NameBucket | undefined) {
    this.parent = parent;
    this.bucket = bucket;
    this.depth = parent === undefined ? 0 : parent.depth + 1;
  }
}

/** The node that counts now: itself, or the one that it went into when its name was folded. */
export function currentNode(node: PathNode): PathNode {
  let current = node;
  while (current.mergedInto !== undefined) current = current.mergedInto;
  return current;
}

/** Totals by path. Holds at most so many paths; what would be one more is booked at the nearest path above. */
export class ScopeTree {
  readonly root: PathNode = new PathNode(undefined, undefined);
  readonly #maxPaths: number;
  #size = 0;

  constructor(maxPaths: number) {
    this.#maxPaths = maxPaths;
  }

  /** Paths held now. */
  get size(): number {
    return this.#size;
  }

  /** The node for `bucket` under `parent`, or `parent` itself where there is no room for it. */
  child(parent: PathNode, bucket: NameBucket): PathNode {
    const known = parent.children?.get(bucket);
    if (known !== undefined) return known;
    if (this.#size >= this.#maxPaths || parent.depth >= maxDepth) return parent;
    const node = new PathNode(parent, bucket);
    parent.children ??= new Map();
    parent.children.set(bucket, node);
    bucket.addNode(node);
    this.#size++;
    return node;
  }

  /** Every path that ends in `from` becomes one that ends in `into`; where that is there already, the two merge. */
  fold(from: NameBucket, into: NameBucket): void {
    // Merging takes nodes out of the name, also such as lie under one another.
    for (const node of from.nodes) {
      const { parent } = node;
      if (node.mergedInto !== undefined || parent?.children === undefined) continue;
      parent.children.delete(from);
      const sibling = parent.children.get(into);
      if (sibling !== undefined) {
        this.#merge(node, sibling);
        continue;
      }
      node.bucket = into;
      parent.children.set(into, node);
      from.deleteNode(node);
      into.addNode(node);
    }
  }

  #merge(node: PathNode, into: PathNode): void {
    into.own.add(node.own);
    for (const [bucket, child] of node.children ?? []) {
      const twin = into.children?.get(bucket);
      if (twin !== undefined) {
        this.#merge(child, twin);
        continue;
      }
      child.parent = into;
      into.children ??= new Map();
      into.children.set(bucket, child);
    }
    node.children = undefined;
    node.bucket?.deleteNode(node);
    node.mergedInto = into;
    this.#size--;
  }
}
