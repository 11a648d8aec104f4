import { isSynapseError, LedgerError } from '@synapsekit/core';

/** What the first word of an error of the server says about it. */
const advice: Readonly<Record<string, string>> = {
  CROSSSLOT:
    'The keys of one request lie in different slots of the cluster. Set `hashTag`, and no `keyPrefix` with braces on the client.',
  NOPERM:
    'The user of the connection may not run the scripts. It needs EVAL, EVALSHA and the commands in the README, on the keys of the ledger.',
  NOAUTH: 'The server wants a password.',
  WRONGPASS: 'The server does not know the user or the password.',
  WRONGTYPE: 'A key of the ledger holds something else. Give the ledger a `keyPrefix` of its own.',
  OOM: 'The memory of the server is full, and its policy is rightly not to evict budgets. Raise maxmemory.',
  READONLY: 'The server is a replica: a failover is going on, or the connection goes to the wrong server.',
  MISCONF: 'The server cannot save its data to disk, and therefore takes no writes.',
};

/** Errors of the server that pass by themselves, or that its operator mends. Everything else it says is final. */
const passing = new Set([
  'LOADING',
  'BUSY',
  'TRYAGAIN',
  'CLUSTERDOWN',
  'MASTERDOWN',
  'NOREPLICAS',
  'READONLY',
  'MISCONF',
  'OOM',
  'MOVED',
  'ASK',
  'UNKILLABLE',
]);

/** The first word of an error that the server answered with; `undefined` when it was not the server that failed. */
export function replyCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || 'syscall' in error || 'errno' in error) return undefined;
  const { message } = error;
  // Before Redis 7 an error within a script is wrapped in another.
  const inner = /user_script.*?-([A-Z]{2,}) /.exec(message)?.[1];
  // Both clients hand on what the server said: a word in capitals first.
  return inner ?? /^([A-Z]{2,})(?: |$)/.exec(message)?.[1];
}

/** Any failure of the client as a `LedgerError`. */
export function ledgerError(error: unknown): LedgerError {
  if (isSynapseError(error, 'ledger')) return error;
  const code = replyCode(error);
  const said = error instanceof Error ? error.message : String(error);
  if (code === undefined) {
    return new LedgerError(
      `Redis is away (${said}). Nothing is known of the operation: it can be repeated, and counts once.`,
      { transient: true, cause: error },
    );
  }
  const hint = advice[code];
  return new LedgerError(`Redis refused the operation (${said}).${hint === undefined ? '' : ` ${hint}`}`, {
    transient: passing.has(code),
    cause: error,
  });
}

/** The same id for different things, or a request that makes no sense. Asking again does not help. */
export function conflict(what: string): LedgerError {
  return new LedgerError(`The ledger refused the request: ${what}.`, { transient: false });
}
