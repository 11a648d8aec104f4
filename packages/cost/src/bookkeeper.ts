import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Attempt,
  type Attributes,
  type Clock,
  type CostRecord,
  costChannel,
  type IdSource,
  type Usage,
} from '@synapsekit/core';
import { AttemptMemory } from './attempt-memory.ts';
import { Books, type BooksLimits } from './books.ts';
import { amountsOf, createRecord, recordedAmounts } from './cost-record.ts';
import { RecentRecords } from './recent-records.ts';
import { requireAttemptOptions, requireModel, requireRecordOptions } from './record-options.ts';
import type { AttemptOptions, RecordOptions } from './scope.ts';
import { requireScopeName, ScopeFrame } from './scope-frame.ts';
import { type Amounts, difference, Totals } from './totals.ts';
import { checkUsage, isName, repairUsage } from './usage-facts.ts';
import {
  type ModelIdentity,
  type ModelRef,
  type UnknownPricePolicy,
  unknownPrice,
  unpriced,
  type Valuation,
  type Valuer,
} from './valuer.ts';
import { nameOfThrown, type Warnings } from './warnings.ts';

/** What a bookkeeper works with. */
export interface BookkeeperOptions extends BooksLimits {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly valuer: Valuer;
  readonly warnings: Warnings;
  readonly onUnknownPrice: UnknownPricePolicy;
  readonly maxRecent: number;
  readonly maxRememberedAttempts: number;
}

/** An attempt as it was booked, so that the same one is not booked again and an estimate can be made good. */
interface Booking {
  readonly record: CostRecord;
  readonly frame: ScopeFrame | undefined;
  readonly books: Books;
}

/** One attempt to book. */
interface Entry {
  readonly frame: ScopeFrame | undefined;
  readonly identity: ModelIdentity;
  readonly usage: Usage;
  readonly atMs: number;
  readonly estimated: boolean;
  /** The tokens are not known, so neither is the cost. */
  readonly incomplete: boolean;
  readonly attributes: Attributes | undefined;
}

/** The one place where a tracker's money is booked. Synchronous throughout, so nothing interleaves. */
export class Bookkeeper {
  readonly storage: AsyncLocalStorage<ScopeFrame> = new AsyncLocalStorage();
  readonly recent: RecentRecords;
  readonly #options: BookkeeperOptions;
  /** Attempts that were counted: nothing changes them any more. */
  readonly #final: AttemptMemory<CostRecord>;
  /** Attempts that were estimated, apart: they are few, and may be made good much later. */
  readonly #estimates: AttemptMemory<Booking>;
  #books: Books;
  #listeners: readonly ((record: CostRecord) => void)[] = [];

  constructor(options: BookkeeperOptions) {
    this.#options = options;
    this.#books = new Books(options);
    this.#final = new AttemptMemory(options.maxRememberedAttempts);
    this.#estimates = new AttemptMemory(options.maxRememberedAttempts);
    this.recent = new RecentRecords(options.maxRecent);
  }

  get books(): Books {
    return this.#books;
  }

  /** Begins new totals. Attempts booked so far stay known, and stay with the old ones. */
  replaceBooks(books: Books = new Books(this.#options)): void {
    this.#books = books;
    this.recent.clear();
  }

  /** A run of a scope has ended. Once is enough. */
  close(frame: ScopeFrame): void {
    if (!frame.open) return;
    frame.open = false;
    this.#books.release(frame);
  }

  /** @throws ConfigError, UnknownPriceError (after booking). */
  record(frame: ScopeFrame | undefined, ref: ModelRef, usage: Usage, options?: RecordOptions): CostRecord {
    requireModel(ref);
    checkUsage(usage);
    const attributes = requireRecordOptions(options);
    const atMs = this.#options.clock.now();
    const identity = this.#options.valuer.identify(ref, atMs);
    const estimated = usage.source === 'estimated';
    const record = this.#book({ frame, identity, usage, atMs, estimated, incomplete: false, attributes });
    if (record.unpriced && this.#options.onUnknownPrice === 'throw') {
      throw unknownPrice(identity, 'The call has been booked as unpriced.');
    }
    return record;
  }

  /** @throws ConfigError for wrong options; for nothing that a provider sent. */
  recordAttempt(
    around: ScopeFrame | undefined,
    attempt: Attempt,
    options: AttemptOptions = {},
  ): CostRecord | undefined {
    const attributes = requireAttemptOptions(options);
    const { outcome } = attempt;
    if (outcome === 'refused' || outcome === 'unsent') return undefined;
    const provider = isName(attempt.provider) ? attempt.provider : 'unknown';
    const model = isName(attempt.model) ? attempt.model : 'unknown';
    const id = isName(attempt.id) ? attempt.id : `${provider}/${model}`;
    const { usage, repaired, incomplete } = repairUsage(attempt.usage);
    if (repaired) this.#warnRepaired(id, attempt.usage !== undefined);
    const { source = outcome === 'served' ? 'provider' : 'estimated' } = usage;
    const attemptId = isName(attempt.attemptId) ? attempt.attemptId : usage.attemptId;
    const identity = { provider, model, id };
    return this.#book({
      frame: this.#ownScope(around, options.scope, identity),
      identity,
      usage: { ...usage, attemptId },
      atMs: this.#options.clock.now(),
      estimated: source === 'estimated',
      incomplete,
      attributes,
    });
  }

  onRecord(listener: (record: CostRecord) => void): () => void {
    // A listener of its own each time: the same function may be added twice, and each is removed by its own handle.
    const added = (record: CostRecord): void => listener(record);
    this.#listeners = [...this.#listeners, added];
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== added);
    };
  }

  #book(entry: Entry): CostRecord {
    const { frame, identity, usage, atMs, estimated } = entry;
    const minted = usage.attemptId === undefined;
    const attemptId = usage.attemptId ?? this.#options.ids();
    if (!minted) {
      const final = this.#final.get(attemptId);
      if (final !== undefined) return final;
      const estimate = this.#estimates.get(attemptId);
      if (estimate !== undefined) return this.#replace(estimate, attemptId, entry);
    }
    const cost = this.#cost(entry, atMs);
    const amounts = amountsOf(usage, cost, estimated);
    const scopePath = frame?.path ?? noPath;
    const attributes = mergeAttributes(frame, entry.attributes);
    const record = createRecord({ attemptId, atMs, identity, usage, estimated, cost, scopePath, attributes });
    this.#books.bookScope(frame, amounts);
    this.#books.bookModel(identity.id, amounts);
    for (let scope = frame; scope !== undefined; scope = scope.parent) scope.totals.add(amounts);
    this.recent.push(record);
    if (estimated) this.#estimates.set(attemptId, { record, frame, books: this.#books });
    else if (minted) this.#final.setMinted(attemptId, record);
    else this.#final.set(attemptId, record);
    this.#publish(record);
    return record;
  }

  /** An estimated attempt again: an actual count makes the estimate good, a larger estimate raises a smaller one. */
  #replace({ record: previous, frame, books }: Booking, attemptId: string, entry: Entry): CostRecord {
    const { atMs, scopePath, attributes } = previous;
    const { identity, usage, estimated } = entry;
    const cost = this.#cost(entry, atMs);
    const before = recordedAmounts(previous);
    if (estimated && cost.pico <= before.pico) return previous;
    if (cost.unpriced && !previous.unpriced) return previous;
    const amounts = amountsOf(usage, cost, estimated);
    const record = createRecord({ attemptId, atMs, identity, usage, estimated, cost, scopePath, attributes });
    const change = difference(amounts, before);
    if (books === this.#books) {
      books.bookScope(frame, change);
      books.bookModel(previous.modelId, difference(nothing, before));
      books.bookModel(record.modelId, amounts);
    }
    for (let scope = frame; scope !== undefined; scope = scope.parent) scope.totals.add(change);
    this.recent.replace(previous, record);
    if (estimated) {
      this.#estimates.set(attemptId, { record, frame, books });
    } else {
      this.#estimates.delete(attemptId);
      this.#final.set(attemptId, record);
    }
    this.#publish(record);
    return record;
  }

  #cost({ identity, usage, incomplete }: Entry, atMs: number): Valuation {
    const valuation = this.#options.valuer.value(identity, usage, atMs);
    return incomplete ? unpriced : valuation;
  }

  #publish(record: CostRecord): void {
    costChannel.publish(() => record);
    for (const listener of this.#listeners) {
      try {
        listener(record);
      } catch (cause) {
        this.#options.warnings.tell({
          code: 'SYNAPSEKIT_LISTENER_FAILED',
          message: `A listener of onRecord threw (${nameOfThrown(cause)}). The call has been recorded all the same.`,
          cause,
        });
      }
    }
  }

  /** The scope around one record. It has ended before it began: nobody else can record in it. */
  #ownScope(
    around: ScopeFrame | undefined,
    scope: AttemptOptions['scope'],
    identity: ModelIdentity,
  ): ScopeFrame | undefined {
    if (scope === undefined) return around;
    let frame: ScopeFrame;
    try {
      const name = typeof scope === 'function' ? scope({ ...identity }) : scope;
      frame = new ScopeFrame(requireScopeName(name), around, undefined);
    } catch (cause) {
      this.#options.warnings.tell({
        code: 'SYNAPSEKIT_INVALID_SCOPE',
        message: `The scope option gave no name for ${identity.id} (${nameOfThrown(cause)}). It is recorded without.`,
        model: identity.id,
        cause,
      });
      return around;
    }
    frame.open = false;
    return frame;
  }

  #warnRepaired(model: string, counted: boolean): void {
    if (!this.#options.warnings.isNew('SYNAPSEKIT_INVALID_USAGE', model)) return;
    this.#options.warnings.tell({
      code: 'SYNAPSEKIT_INVALID_USAGE',
      message: counted
        ? `${model} reported token counts that cannot be. They were repaired; its cost is an estimate.`
        : `${model} reported no token counts. Its calls count as unpriced; set trackTokens to have them counted.`,
      model,
    });
  }
}

const noPath: readonly string[] = Object.freeze([]);
const noAttributes: Attributes = Object.freeze({});
const nothing: Amounts = new Totals();

function mergeAttributes(frame: ScopeFrame | undefined, own: Attributes | undefined): Attributes {
  const inherited = frame?.attributes ?? noAttributes;
  return own === undefined ? inherited : Object.freeze({ ...inherited, ...own });
}
