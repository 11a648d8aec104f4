import { type Command, UsageError } from './command.ts';
import { exitCodes } from './io.ts';
import { numberFlag, textFlag } from './parse-flags.ts';
import { fileArgument, outcomeFlags, readOptions, seedFlag, tableOptions } from './route-flags.ts';

/** `synapsekit route train` */
export const routeTrainCommand: Command = {
  name: 'route train',
  usage: ['route train FILE -o model.json [flags]'],
  about:
    'Trains a router on outcomes: for each model a head that predicts whether it will do, so that the\n' +
    'difference is what the dearer one gains. Where that is not clearly better than prompt length on rows\n' +
    'held out, the model goes by length, and says so. With responses in the file it also learns to read the\n' +
    "cheap model's answer (for a cascade). Nothing leaves the machine; the model holds no prompt.",
  flags: {
    output: { type: 'string', short: 'o', value: 'FILE', help: 'Where the model goes. Required' },
    rows: {
      type: 'string',
      value: 'N',
      help: 'Train on N rows drawn by the seed; the others stay fresh for calibrate and eval.',
    },
    seed: {
      type: 'string',
      value: 'N',
      help: 'The same rows, flags and seed give the same file. Default: 1',
    },
    proof: {
      type: 'string',
      value: 'KIND',
      help: 'Be better than length on held-out "rows" or on whole "groups". Default: rows',
    },
    'no-fallback': { type: 'boolean', help: 'Keep what was learnt even where length does as well.' },
    'no-verifier': { type: 'boolean', help: 'Learn nothing from responses.' },
    ...outcomeFlags,
    json: { type: 'boolean', help: 'Print JSON, and nothing else, on standard output.' },
  },
  notes:
    'Exit codes: 0 written (also when the model goes by length), 2 wrong usage, or outcomes that do not\n' +
    'carry it: fewer than 200 rows, one model only, costs for some models, a strong model that is not better.',
  async run(args, io) {
    const file = fileArgument(args, 'route train');
    const output = textFlag(args, 'output');
    if (output === undefined || output === '') {
      throw new UsageError('synapsekit route train needs to know where the model goes: -o model.json.');
    }
    const proof = textFlag(args, 'proof') ?? 'rows';
    if (proof !== 'rows' && proof !== 'groups') {
      throw new UsageError(`--proof must be rows or groups, got "${proof}".`);
    }
    const rows = numberFlag(args, 'rows', { min: 1 });
    const options = {
      ...tableOptions(args),
      seed: seedFlag(args),
      rows,
      proof,
      fallback: args.flags['no-fallback'] !== true,
      verifier: args.flags['no-verifier'] !== true,
    } as const;
    const reading = readOptions(args);
    const [{ routeWork, pathIn, writeOutput }, { readOutcomes }, { trainRouterModel }, { trainingText }] =
      await Promise.all([
        import('./route-work.ts'),
        import('@synapsekit/router/outcomes'),
        import('@synapsekit/router/offline'),
        import('./route-format.ts'),
      ]);
    return routeWork(io, async (progress) => {
      const { signal } = io;
      const outcomes = await readOutcomes(pathIn(io, file), {
        ...reading,
        responses: options.verifier,
        signal,
      });
      const model = await trainRouterModel(outcomes, { ...options, signal, onProgress: progress.show });
      const text = `${JSON.stringify(model.json)}\n`;
      writeOutput(io, output, text);
      progress.hide();
      if (args.flags.json === true) {
        const { form, models, weak, strong, training, validation, groupValidation, verifier } = model.json;
        const { fingerprints: _, ...trained } = training;
        const summary = {
          version: 1,
          output,
          bytes: text.length,
          form,
          models,
          weak,
          strong,
          training: trained,
        };
        io.stdout.write(
          `${JSON.stringify({ ...summary, validation, groupValidation, verifier: verifier !== undefined }, undefined, 2)}\n`,
        );
      } else io.stdout.write(trainingText(model.json, { output, bytes: text.length }));
      return exitCodes.ok;
    });
  },
};
