import { type Command, type CommandArgs, UsageError } from './command.ts';
import { numberFlag, textFlag } from './parse-flags.ts';
import { fileArgument, outcomeFlags, readOptions, seedFlag, tableOptions } from './route-flags.ts';

/** What `--fail-under` asks for: that every router is better than length, or reaches an APGR for sure. */
export type FailUnder = 'length' | number;

/** `synapsekit route eval` */
export const routeEvalCommand: Command = {
  name: 'route eval',
  usage: ['route eval FILE [flags]', 'route eval FILE --router model.json --html report.html'],
  about:
    'Says what routers are worth on your outcomes: how much of the gap between the cheap and the strong\n' +
    'model they recover, at which cost, how sure that is, and how steady they are. Always beside random,\n' +
    'prompt length, the best single model, an oracle, and what training on this file would give: a router by\n' +
    'the prompt, and, where the file holds the answers, a cascade that reads those of the weak model. A model\n' +
    'is measured on rows only that it was not trained on; models of the pool that nobody needs are named.',
  flags: {
    router: {
      type: 'string',
      short: 'r',
      value: 'FILE,…',
      help: 'Routers: models of route train, or modules that export functions (prompt) => number.',
    },
    'no-learned': { type: 'boolean', help: 'Leave out what training on this file would give.' },
    'no-cascade': { type: 'boolean', help: 'Read no answers. Also left out with --no-learned.' },
    'fail-under': {
      type: 'string',
      value: 'LIMIT',
      help: 'Exit with 1 if a router is not surely above "length", or an APGR such as 0.6.',
    },
    html: { type: 'string', value: 'FILE', help: 'Also write a report with the curves, in one file.' },
    draws: { type: 'string', value: 'N', help: 'Bootstrap draws behind the 95 % intervals. Default: 1000' },
    seed: { type: 'string', value: 'N', help: 'Default: 1' },
    ...outcomeFlags,
    json: { type: 'boolean', help: 'Print JSON, and nothing else, on standard output.' },
    'no-color': { type: 'boolean', help: 'No colours. NO_COLOR and FORCE_COLOR are respected as well.' },
  },
  notes:
    'Exit codes: 0 measured, 1 a router is under --fail-under, 2 wrong usage, or outcomes that cannot be\n' +
    'measured on: no file, a broken line, one model only, costs for some models only, fewer than 50 rows.',
  async run(args, io) {
    const request = {
      file: fileArgument(args, 'route eval'),
      routers: namesOf(args),
      learned: args.flags['no-learned'] !== true,
      cascade: args.flags['no-learned'] !== true && args.flags['no-cascade'] !== true,
      failUnder: failUnderOf(args),
      html: textFlag(args, 'html'),
      draws: numberFlag(args, 'draws', { min: 20 }),
      seed: seedFlag(args),
      table: tableOptions(args),
      reading: readOptions(args),
      json: args.flags.json === true,
      noColor: args.flags['no-color'] === true,
    };
    if ((request.draws ?? 0) > 100_000) throw new UsageError('--draws must be at most 100000.');
    const { runRouteEval } = await import('./run-route-eval.ts');
    return runRouteEval(request, io);
  },
};

function namesOf(args: CommandArgs): readonly string[] {
  const text = textFlag(args, 'router');
  if (text === undefined) return [];
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('')) throw new UsageError('--router must name files, separated by commas.');
  return names;
}

function failUnderOf(args: CommandArgs): FailUnder | undefined {
  const text = textFlag(args, 'fail-under');
  if (text === undefined || text === 'length') return text;
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value > 0 && value < 5) return value;
  throw new UsageError(`--fail-under must be "length" or an APGR such as 0.6, got "${text}".`);
}
