import type { Command } from './command.ts';
import { readTestOptions } from './test-options.ts';
import { trafficFlags } from './traffic-flags.ts';

/** `synapsekit test` */
export const testCommand: Command = {
  name: 'test',
  usage: ['test [FILE|FILE:LINE|FOLDER ...] [flags]'],
  about:
    'Runs the eval cases and suites that files export, and judges quality, cost and latency. A folder\n' +
    'is searched for *.eval.ts and *.evals.ts (.mts, .cts, .tsx, .js, .mjs); without any path, the working\n' +
    'folder is.',
  flags: {
    filter: {
      type: 'string',
      short: 't',
      value: 'PATTERN',
      help: 'Only cases whose name matches, e.g. -t ^simple',
    },
    tag: {
      type: 'string',
      value: 'TAG',
      multiple: true,
      help: 'Only cases with this tag, or another one given; !TAG: without it',
    },
    'only-failed': { type: 'boolean', help: 'Only cases that did not pass in the last run.' },
    resume: { type: 'boolean', help: 'Go on with the last run: only what did not run in it.' },
    shard: { type: 'string', value: 'I/N', help: 'Only the I-th of N parts of the cases, e.g. 1/4' },
    ...trafficFlags,
    concurrency: {
      type: 'string',
      value: 'N',
      multiple: true,
      help: 'Cases at a time. Default: 4; openai=2 limits the calls to a provider',
    },
    timeout: { type: 'string', value: 'TIME', help: 'For cases without a time of their own. Default: 60s' },
    retry: {
      type: 'string',
      value: 'N',
      help: 'Run cases that do not pass again, up to N times. Default: 0',
    },
    trials: { type: 'string', value: 'N', help: 'Run each case N times; all must pass. Default: 1' },
    bail: { type: 'string', value: 'N', help: 'Begin no more cases once N have not passed.' },
    seed: { type: 'string', value: 'N', help: 'For the random numbers of cases, and for --shuffle.' },
    shuffle: { type: 'boolean', help: 'Run the cases in an order that the seed determines.' },
    strict: {
      type: 'boolean',
      help: 'A case that nothing judges fails, and none may be marked "only". Default in CI',
    },
    'no-strict': { type: 'boolean', help: 'The opposite.' },
    'save-baseline': { type: 'string', value: 'NAME', help: 'Keep the costs, to compare with: main' },
    compare: {
      type: 'string',
      value: 'NAME',
      help: 'What got dearer, fails or is gone since then fails the run.',
    },
    'cost-tolerance': {
      type: 'string',
      value: 'PERCENT',
      help: 'By so much a case may get dearer. Default: 5',
    },
    'allow-removed': { type: 'boolean', help: 'Cases that are gone or skipped are no regression.' },
    list: { type: 'boolean', help: 'Print the cases and run nothing.' },
    watch: { type: 'boolean', short: 'w', help: 'Run again whenever a file that was loaded changes.' },
    reporter: {
      type: 'string',
      value: 'NAME[=FILE]',
      multiple: true,
      help: 'default, minimal, json, junit or html; may be given several times',
    },
    json: { type: 'boolean', help: 'Print JSON, and nothing else, on standard output.' },
    'pass-with-no-cases': { type: 'boolean', help: 'No eval file is no error.' },
    'no-color': { type: 'boolean', help: 'No colours. NO_COLOR and FORCE_COLOR are respected as well.' },
  },
  notes:
    'Exit codes: 0 all passed, 1 a case failed or nothing judged it, 2 could not run, 3 some cases did not\n' +
    'run (budget), 4 worse than the baseline, 5 a request is on no tape, 130 interrupted, 137 killed.',
  async run(args, io) {
    const options = readTestOptions(args, io.env);
    if (args.flags.watch === true) {
      const { watchTests } = await import('./watch.ts');
      return watchTests(args, io);
    }
    const { runTest } = await import('./run-test.ts');
    return runTest(options, args, io);
  },
};
