import {
  type InspectableLedger,
  isSynapseError,
  LedgerError,
  type LedgerStore,
  type Random,
  requireNumber,
} from '@synapsekit/core';

/** How bad the way to a store is. */
export interface UnreliableLedgerOptions {
  /** Decides what happens to each operation. */
  readonly random: Random;
  /** Share of operations that never arrive. @default 0.1 */
  readonly lostRequests?: number | undefined;
  /** Share of operations that are carried out and whose reply is lost. @default 0.1 */
  readonly lostReplies?: number | undefined;
  /** Every operation takes up to so many turns of the event loop, before and after it is carried out. @default 3 */
  readonly maxTurns?: number | undefined;
}

/**
 * A store at the other end of a bad network: operations are late, overtake each other, get lost, or happen without
 * anybody hearing of it. What is lost rejects with a transient `LedgerError`, as a store that is away does.
 *
 * @throws ConfigError for shares outside 0 to 1.
 */
export function unreliableLedger<S extends LedgerStore>(
  store: S,
  options: UnreliableLedgerOptions,
): Reached<S> {
  const { random, lostRequests = 0.1, lostReplies = 0.1, maxTurns = 3 } = options;
  requireNumber(lostRequests, 'lostRequests', { min: 0, max: 1 });
  requireNumber(lostReplies, 'lostReplies', { min: 0, max: 1 });
  requireNumber(maxTurns, 'maxTurns', { integer: true, min: 0 });
  const travel = async (): Promise<void> => {
    for (let turns = Math.floor(random() * (maxTurns + 1)); turns > 0; turns--) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const send = async <T>(operation: () => T | Promise<T>): Promise<T> => {
    await travel();
    if (random() < lostRequests)
      throw new LedgerError('The request was lost on its way.', { transient: true });
    const result = await operation();
    await travel();
    if (random() < lostReplies) throw new LedgerError('The reply was lost on its way.', { transient: true });
    return result;
  };
  return reachedBy(send, store);
}

/** A store whose operations are repeated until they are answered: what its idempotency is for. */
export function persistentLedger<S extends LedgerStore>(store: S): Reached<S> {
  const insist = async <T>(operation: () => T | Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await operation();
      } catch (error) {
        if (!isSynapseError(error, 'ledger') || !error.transient) throw error;
      }
    }
  };
  return reachedBy(insist, store);
}

/** What is left of a store behind a wrapper: as much of it as the interfaces name. */
type Reached<S extends LedgerStore> = S extends InspectableLedger ? InspectableLedger : LedgerStore;

/** A way to a store, over which every operation goes. */
type Way = <T>(operation: () => T | Promise<T>) => Promise<T>;

function reachedBy<S extends LedgerStore>(way: Way, store: S): Reached<S> {
  const reached: LedgerStore = {
    unitPico: store.unitPico,
    reserve: (request) => way(() => store.reserve(request)),
    post: (request) => way(() => store.post(request)),
    close: (holdId) => way(() => store.close(holdId)),
    renew: (holdId, leaseMs) => way(() => store.renew(holdId, leaseMs)),
    status: (keys) => way(() => store.status(keys)),
    flush: () => way(() => store.flush()),
    dispose: () => store.dispose(),
  };
  if (!isInspectable(store)) return reached as Reached<S>;
  const inspectable: InspectableLedger = {
    ...reached,
    counters: (query) => way(() => store.counters(query)),
    holds: (query) => way(() => store.holds(query)),
    reset: (key) => way(() => store.reset(key)),
  };
  return inspectable as Reached<S>;
}

function isInspectable(store: LedgerStore): store is InspectableLedger {
  return 'counters' in store && 'holds' in store && 'reset' in store;
}
