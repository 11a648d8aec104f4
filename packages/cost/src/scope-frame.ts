import { type Attributes, ConfigError } from '@synapsekit/core';
import type { NameBucket } from './scope-names.ts';
import type { PathNode } from './scope-tree.ts';
import { Totals } from './totals.ts';

/** Where a run of a scope is booked. Belongs to one set of books: after a reset it is looked up anew. */
export interface Attachment {
  readonly books: object;
  readonly bucket: NameBucket;
  readonly node: PathNode;
}

const noAttributes: Attributes = Object.freeze({});

/** One run of a scope: what the async context carries. */
export class ScopeFrame {
  readonly name: string;
  readonly parent: ScopeFrame | undefined;
  /** Those of the scopes around it, with its own on top. */
  readonly attributes: Attributes;
  readonly totals: Totals = new Totals();
  /** False when a scope around it has the same name: a record counts once in each name. */
  readonly countsForName: boolean;
  open = true;
  attachment: Attachment | undefined;
  #path: readonly string[] | undefined;

  constructor(name: string, parent: ScopeFrame | undefined, attributes: Attributes | undefined) {
    this.name = name;
    this.parent = parent;
    const inherited = parent?.attributes ?? noAttributes;
    this.attributes = attributes === undefined ? inherited : Object.freeze({ ...inherited, ...attributes });
    let outer = parent;
    while (outer !== undefined && outer.name !== name) outer = outer.parent;
    this.countsForName = outer === undefined;
  }

  /** Names from the outermost scope to this one. */
  get path(): readonly string[] {
    if (this.#path === undefined) {
      const names: string[] = [];
      for (let frame: ScopeFrame | undefined = this; frame !== undefined; frame = frame.parent) {
        names.push(frame.name);
      }
      this.#path = Object.freeze(names.reverse());
    }
    return this.#path;
  }
}

/**
 * Checks a scope's name.
 *
 * @throws ConfigError unless it is a non-empty string.
 */
export function requireScopeName(name: unknown): string {
  if (typeof name === 'string' && name !== '') return name;
  throw new ConfigError(`A scope's name must be a non-empty string, got ${typeof name}.`, { option: 'name' });
}

/**
 * Checks attributes, which travel in records: flat and JSON-safe.
 *
 * @throws ConfigError for anything but strings, finite numbers and booleans.
 */
export function requireAttributes(attributes: Attributes | undefined): Attributes | undefined {
  if (attributes === undefined) return undefined;
  if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes)) {
    throw new ConfigError('attributes must be an object of strings, numbers and booleans.', {
      option: 'attributes',
    });
  }
  for (const [key, value] of Object.entries(attributes) as [string, unknown][]) {
    if (typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) continue;
    throw new ConfigError(
      `attributes["${key}"] must be a string, a finite number or a boolean, got ${typeof value}.`,
      { option: 'attributes' },
    );
  }
  return attributes;
}
