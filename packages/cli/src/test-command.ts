import type { Command } from './command.ts';
import { readTestOptions } from './test-options.ts';

/** `synapsekit test` */
export const testCommand: Command = {
  name: 'test',
  usage: ['test [FILE|FOLDER ...] [flags]'],
  about:
    'Runs the eval cases and suites that files export, and judges quality, cost and latency. A folder\n' +
    'is searched for *.eval.ts (.mts, .js, .mjs); without any path, the working folder is.',
  flags: {
    filter: {
      type: 'string',
      short: 't',
      value: 'PATTERN',
      help: 'Only cases whose name matches, e.g. -t ^simple',
    },
    concurrency: { type: 'string', value: 'N', help: 'How many cases run at a time. Default: 4' },
    'timeout-ms': {
      type: 'string',
      value: 'N',
      help: 'For cases without a time of their own. Default: 60000',
    },
    list: { type: 'boolean', help: 'Print the cases and run nothing.' },
    json: { type: 'boolean', help: 'Print JSON, and nothing else, on standard output.' },
    'no-color': { type: 'boolean', help: 'No colours. NO_COLOR and FORCE_COLOR are respected as well.' },
  },
  notes: 'Exit codes: 0 all passed, 1 a case failed or nothing judged it, 2 could not run, 130 interrupted.',
  async run(args, io) {
    const options = readTestOptions(args);
    const { runTest } = await import('./run-test.ts');
    return runTest(options, io);
  },
};
