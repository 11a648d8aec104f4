import type { RoutePromise } from '@synapsekit/router';
import { type Command, type CommandArgs, UsageError } from './command.ts';
import { exitCodes } from './io.ts';
import { numberFlag, textFlag } from './parse-flags.ts';
import { fileArgument, outcomeFlags, readOptions, seedFlag, tableOptions } from './route-flags.ts';

/** `synapsekit route calibrate` */
export const routeCalibrateCommand: Command = {
  name: 'route calibrate',
  usage: ['route calibrate FILE --model model.json --keep 0.95 [-o FILE] [flags]'],
  about:
    'Finds the threshold that keeps a promise, on rows that the model was not trained on, with a guarantee\n' +
    'that holds for any number of rows: the promise breaks in at most 1 - confidence of all calibrations, as\n' +
    'long as the traffic is like the rows. A threshold that just does on the rows breaks it about every other\n' +
    'time; what the guarantee costs is said. What the rows cannot carry is refused.',
  flags: {
    model: { type: 'string', short: 'm', value: 'FILE', help: 'The model that route train wrote. Required' },
    output: {
      type: 'string',
      short: 'o',
      value: 'FILE',
      help: 'Where the calibrated model goes. Default: --model',
    },
    keep: {
      type: 'string',
      value: 'Q',
      help: "Keep at least this share of the strong model's quality: 0.95",
    },
    'max-cost-usd': { type: 'string', value: 'USD', help: 'Spend at most so much per query on average.' },
    'max-strong-share': {
      type: 'string',
      value: 'S',
      help: 'At most this share of calls to the strong model: 0.3',
    },
    confidence: { type: 'string', value: 'C', help: 'How sure. Default: 0.95' },
    seed: { type: 'string', value: 'N', help: 'Order in which rows are looked at. Default: 1' },
    cost: outcomeFlags.cost,
    'max-score': outcomeFlags['max-score'],
    json: { type: 'boolean', help: 'Print JSON, and nothing else, on standard output.' },
  },
  notes:
    'Exit codes: 0 written, 2 wrong usage, or a promise that the rows do not carry.\n' +
    'Thresholds do not travel: calibrate again when the traffic changes. CalibratedRouter reports drift.',
  async run(args, io) {
    const file = fileArgument(args, 'route calibrate');
    const path = textFlag(args, 'model');
    if (path === undefined || path === '') {
      throw new UsageError('synapsekit route calibrate needs a model: --model model.json.');
    }
    const promise = promiseOf(args);
    const confidence = numberFlag(args, 'confidence', { min: 0.5, integer: false }) ?? 0.95;
    if (confidence > 0.9999) throw new UsageError(`--confidence must be at most 0.9999, got ${confidence}.`);
    const { costsUsd } = tableOptions(args);
    const seed = seedFlag(args);
    const reading = readOptions(args);
    const [
      { routeWork, pathIn, readModel, writeOutput },
      { readOutcomes },
      { calibrateRouter },
      { calibrationText },
    ] = await Promise.all([
      import('./route-work.ts'),
      import('@synapsekit/router/outcomes'),
      import('@synapsekit/router/offline'),
      import('./route-format.ts'),
    ]);
    return routeWork(io, async (progress) => {
      const model = await readModel(io, path);
      progress.show(0, 'read');
      const outcomes = await readOutcomes(pathIn(io, file), {
        ...reading,
        responses: false,
        signal: io.signal,
      });
      progress.show(0.5, 'calibrate');
      const calibrated = calibrateRouter(outcomes, { model, promise, confidence, seed, costsUsd });
      const output = textFlag(args, 'output') ?? path;
      writeOutput(io, output, `${JSON.stringify(calibrated.json)}\n`);
      progress.hide();
      const { calibration } = calibrated.json;
      if (calibration === undefined) throw new Error('The calibrated model has no calibration.');
      if (args.flags.json === true) {
        io.stdout.write(`${JSON.stringify({ version: 1, output, ...calibration }, undefined, 2)}\n`);
      } else io.stdout.write(calibrationText(calibrated.json, calibration, output));
      return exitCodes.ok;
    });
  },
};

function promiseOf(args: CommandArgs): RoutePromise {
  const keep = numberFlag(args, 'keep', { min: 0, integer: false });
  const maxCostUsd = numberFlag(args, 'max-cost-usd', { min: 0, integer: false });
  const maxStrongShare = numberFlag(args, 'max-strong-share', { min: 0, integer: false });
  const given = [keep, maxCostUsd, maxStrongShare].filter((value) => value !== undefined);
  if (given.length !== 1) {
    throw new UsageError(
      given.length === 0
        ? 'What is to be promised? One of --keep, --max-cost-usd and --max-strong-share.'
        : 'One promise at a time: --keep, --max-cost-usd or --max-strong-share. A threshold cannot keep two.',
    );
  }
  for (const [name, share] of [
    ['keep', keep],
    ['max-strong-share', maxStrongShare],
  ] as const) {
    if (share !== undefined && (share === 0 || share > 1)) {
      throw new UsageError(`--${name} must be above 0 and at most 1, got ${share}.`);
    }
  }
  if (maxCostUsd === 0) throw new UsageError('--max-cost-usd must be above 0.');
  if (keep !== undefined) return { kind: 'quality', keep };
  if (maxCostUsd !== undefined) return { kind: 'cost', maxCostUsd };
  return { kind: 'share', maxStrongShare: maxStrongShare as number };
}
