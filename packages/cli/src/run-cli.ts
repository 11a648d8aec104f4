import { readFile } from 'node:fs/promises';
import { type Command, UsageError } from './command.ts';
import { commandHelp } from './command-help.ts';
import { type CliIo, exitCodes } from './io.ts';
import { parseFlags } from './parse-flags.ts';

/** A command that is loaded when it runs: help must not wait for it. */
interface CommandEntry {
  readonly summary: string;
  load(): Promise<Command>;
}

const lazy = (summary: string, load: () => Promise<Command>): CommandEntry => ({ summary, load });

/** What there is, one line each. */
// biome-ignore format: a line each
const commands: ReadonlyMap<string, CommandEntry> = new Map([
  ['test', lazy('Run eval cases: quality, cost and latency as tests.', async () => (await import('./test-command.ts')).testCommand)],
  ['init', lazy('Write a first eval file.', async () => (await import('./init-command.ts')).initCommand)],
  ['simulate', lazy('Start a simulated OpenAI and Groq on this machine.', async () => (await import('./simulate-command.ts')).simulateCommand)],
  ['price', lazy('Look up what models cost.', async () => (await import('./price-command.ts')).priceCommand)],
]);

/**
 * Runs `synapsekit` with these arguments.
 *
 * @returns the exit code. It never rejects: what goes wrong is printed.
 */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  try {
    return await dispatch(argv, io);
  } catch (error) {
    if (error instanceof UsageError) io.stderr.write(`${error.message}\n`);
    else io.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return exitCodes.unusable;
  }
}

async function dispatch(argv: readonly string[], io: CliIo): Promise<number> {
  const [first, ...rest] = argv;
  if (first === '--version' || first === '-v') {
    io.stdout.write(`${await version()}\n`);
    return exitCodes.ok;
  }
  if (
    first === undefined ||
    first === '--help' ||
    first === '-h' ||
    (first === 'help' && rest.length === 0)
  ) {
    io.stdout.write(overview());
    return exitCodes.ok;
  }
  const name = first === 'help' ? (rest[0] ?? '') : first;
  const entry = commands.get(name);
  if (entry === undefined) throw await unknownCommand(name);
  const command = await entry.load();
  if (first === 'help' || asksForHelp(rest)) {
    io.stdout.write(commandHelp(command));
    return exitCodes.ok;
  }
  try {
    return await command.run(await parseFlags(command, rest), io);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${error.message}\nTry: synapsekit ${name} --help`);
  }
}

/** Also beside flags that are wrong; not behind `--`. */
function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  const flags = end === -1 ? args : args.slice(0, end);
  return flags.includes('--help') || flags.includes('-h');
}

function overview(): string {
  const width = Math.max(...[...commands.keys()].map(({ length }) => length));
  return [
    'Usage: synapsekit COMMAND [ARGUMENTS]',
    '',
    'Commands:',
    ...[...commands].map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'synapsekit COMMAND --help shows what a command takes. synapsekit --version shows the version.',
    '',
  ].join('\n');
}

async function unknownCommand(name: string): Promise<UsageError> {
  const { nearestName } = await import('@synapsekit/core');
  const meant = nearestName(name, [...commands.keys()]);
  const hint =
    meant === undefined ? `There are: ${[...commands.keys()].join(', ')}.` : `Did you mean "${meant}"?`;
  return new UsageError(`synapsekit has no command "${name}". ${hint}\nTry: synapsekit --help`);
}

async function version(): Promise<string> {
  // From `src` as from `dist`.
  const manifest: unknown = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
  return String((manifest as { readonly version?: unknown }).version);
}
