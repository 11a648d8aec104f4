import { type Command, type CommandArgs, UsageError } from './command.ts';
import { numberFlag, textFlag } from './parse-flags.ts';

const actions = ['status', 'holds', 'reset'] as const;

/** `synapsekit budget` */
export const budgetCommand: Command = {
  name: 'budget',
  usage: [
    'budget status [PREFIX] --store STORE [flags]',
    'budget holds [PREFIX] --store STORE [flags]',
    'budget reset KEY --store STORE [--window ID] --yes [flags]',
  ],
  about:
    'Looks into the ledger of a budget while others use it.\n' +
    '  status  every limit that was used: what is spent, held by calls in flight, and left\n' +
    '  holds   calls that hold something, those whose lease ends first at the front\n' +
    '  reset   sets what is spent under a key to zero; what is held stays held',
  flags: {
    store: { type: 'string', short: 's', value: 'STORE', help: 'sqlite:FILE or redis://HOST:PORT' },
    window: { type: 'string', value: 'ID', help: 'With reset: only this window. Default: all of the key' },
    yes: { type: 'boolean', help: 'With reset: do it. Without it, what would be reset is shown.' },
    max: { type: 'string', value: 'N', help: 'How many rows at most. Default: 1000' },
    json: { type: 'boolean', help: 'Print JSON, and nothing else, on standard output.' },
    'no-color': { type: 'boolean', help: 'No colours. NO_COLOR and FORCE_COLOR are respected as well.' },
  },
  notes:
    'A key is GUARD/LIMIT, or GUARD/ATTRIBUTE=VALUE/LIMIT. Exit codes: 0 done, 1 there is no such key, or nothing\n' +
    'was reset for want of --yes, 2 wrong usage, or the store cannot be used.',
  async run(args, io) {
    const [action, subject, ...rest] = args.positionals;
    const store = textFlag(args, 'store');
    if (!isAction(action)) {
      throw new UsageError(`synapsekit budget needs one of ${actions.join(', ')}${got(action)}.`);
    }
    if (rest.length > 0)
      throw new UsageError(`synapsekit budget ${action} takes one key, got "${rest[0]}" too.`);
    if (store === undefined) throw new UsageError('Which store? --store sqlite:FILE or redis://HOST:PORT');
    if (store === 'memory')
      throw new UsageError('A ledger in memory lives in its own process: nobody else can look into it.');
    if (action !== 'reset' && (args.flags.window !== undefined || args.flags.yes === true)) {
      throw new UsageError('--window and --yes go with reset.');
    }
    if (action === 'reset' && subject === undefined)
      throw new UsageError('Which key is to be reset? See: synapsekit budget status');
    const { runBudget } = await import('./run-budget.ts');
    return runBudget({ action, store, subject: subject ?? '', ...options(args) }, io);
  },
};

function options(args: CommandArgs) {
  return {
    windowId: textFlag(args, 'window'),
    yes: args.flags.yes === true,
    maxCount: numberFlag(args, 'max', { min: 1 }) ?? 1_000,
    json: args.flags.json === true,
    noColor: args.flags['no-color'] === true,
  };
}

function isAction(action: string | undefined): action is (typeof actions)[number] {
  return actions.some((one) => one === action);
}

function got(action: string | undefined): string {
  return action === undefined ? '' : `, got "${action}"`;
}
