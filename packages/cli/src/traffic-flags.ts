import type { FlagSpec } from './command.ts';

/** Flags about what goes over the wire: tapes, money, prices. */
export const trafficFlags: Readonly<Record<string, FlagSpec>> = {
  live: { type: 'boolean', help: 'Ask providers. The default, but for CI' },
  record: {
    type: 'boolean',
    help: 'Answer from tape what is on one; ask providers for the rest, and tape it.',
  },
  rerecord: { type: 'boolean', help: 'Ask providers, and tape it in the place of what was there.' },
  replay: {
    type: 'boolean',
    help: 'Answer from tape; nothing goes out, what is on no tape fails. Default in CI',
  },
  'tape-dir': {
    type: 'string',
    value: 'DIR',
    help: 'Folder of tapes. Default: __tapes__ beside each eval file',
  },
  'tape-redact': {
    type: 'string',
    value: 'FILE',
    help: 'Module whose default export changes texts before they are taped',
  },
  'max-tape-age': { type: 'string', value: 'DAYS', help: 'In replay, older tapes fail.' },
  realtime: { type: 'boolean', help: 'Replay as slowly as it was recorded.' },
  budget: {
    type: 'string',
    value: 'USD',
    help: 'What the run may spend: 0.50. What does not fit is not run',
  },
  store: {
    type: 'string',
    value: 'STORE',
    help: 'Where shards share the budget: sqlite:FILE, redis://HOST:PORT',
  },
  ledger: {
    type: 'string',
    value: 'FILE',
    help: 'Module whose default export is such a store',
  },
  'budget-key': { type: 'string', value: 'NAME', help: 'Name of the budget in that store' },
  prices: {
    type: 'string',
    value: 'FILE',
    help: 'JSON list of prices that win over the table, and over trackers',
  },
  as: {
    type: 'string',
    value: 'MODEL=MODEL',
    multiple: true,
    help: 'In replay, price a model as another: gpt-4o=gpt-6-luna',
  },
  'allow-host': {
    type: 'string',
    value: 'HOST',
    multiple: true,
    help: 'Requests to it are free, not taped, and go out in replay as well',
  },
};
