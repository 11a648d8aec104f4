import { type CommandEntry, type CommandGroup, UsageError } from './command.ts';
import { commandHelp } from './command-help.ts';
import { type CliIo, exitCodes } from './io.ts';
import { fs } from './node-builtins.ts';
import { parseFlags } from './parse-flags.ts';

/** What there is. A command, and all that it needs, is loaded when it runs: help must not wait for it. */
const commands: ReadonlyMap<string, CommandEntry> = new Map<string, CommandEntry>([
  [
    'test',
    {
      summary: 'Run eval cases: quality, cost and latency as tests.',
      load: async () => (await import('./test-command.ts')).testCommand,
    },
  ],
  [
    'init',
    {
      summary: 'Write a first eval file.',
      load: async () => (await import('./init-command.ts')).initCommand,
    },
  ],
  [
    'route',
    {
      summary: 'Measure, train and calibrate routers on your own outcomes.',
      load: async () => (await import('./route-commands.ts')).routeCommands,
    },
  ],
  [
    'budget',
    {
      summary: 'Look into the ledger of a budget.',
      load: async () => (await import('./budget-command.ts')).budgetCommand,
    },
  ],
  [
    'simulate',
    {
      summary: 'Start a simulated OpenAI and Groq on this machine.',
      load: async () => (await import('./simulate-command.ts')).simulateCommand,
    },
  ],
  [
    'price',
    {
      summary: 'Look up what models cost.',
      load: async () => (await import('./price-command.ts')).priceCommand,
    },
  ],
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
    io.stdout.write(`${version()}\n`);
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
  const help = first === 'help';
  return runNamed(undefined, commands, help ? rest : argv, help, io);
}

/** Runs the command that the first argument names: one of all, or one of a group. */
async function runNamed(
  group: CommandGroup | undefined,
  entries: ReadonlyMap<string, CommandEntry>,
  argv: readonly string[],
  help: boolean,
  io: CliIo,
): Promise<number> {
  const [name = '', ...rest] = argv;
  if (group !== undefined && (name === '' || name === '--help' || name === '-h')) {
    const asked = help || name !== '';
    (asked ? io.stdout : io.stderr).write(groupHelp(group));
    return asked ? exitCodes.ok : exitCodes.unusable;
  }
  const entry = entries.get(name);
  if (entry === undefined) throw await unknownCommand(name, group);
  const command = await entry.load();
  if ('commands' in command) return runNamed(command, command.commands, rest, help, io);
  if (help || asksForHelp(rest)) {
    io.stdout.write(commandHelp(command));
    return exitCodes.ok;
  }
  try {
    return await command.run(await parseFlags(command, rest), io);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${error.message}\nTry: synapsekit ${command.name} --help`);
  }
}

/** Also beside flags that are wrong; not behind `--`. */
function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  const flags = end === -1 ? args : args.slice(0, end);
  return flags.includes('--help') || flags.includes('-h');
}

function overview(): string {
  return [
    'Usage: synapsekit COMMAND [ARGUMENTS]',
    '',
    'Commands:',
    ...summaries(commands),
    '',
    'synapsekit COMMAND --help shows what a command takes. synapsekit --version shows the version.',
    '',
  ].join('\n');
}

function groupHelp({ name, about, commands: own, notes }: CommandGroup): string {
  return [
    `Usage: synapsekit ${name} COMMAND [ARGUMENTS]`,
    '',
    about,
    '',
    'Commands:',
    ...summaries(own),
    '',
    `synapsekit ${name} COMMAND --help shows what a command takes.`,
    ...(notes === undefined ? [] : ['', notes]),
    '',
  ].join('\n');
}

function summaries(entries: ReadonlyMap<string, CommandEntry>): string[] {
  const width = Math.max(...[...entries.keys()].map(({ length }) => length));
  return [...entries].map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
}

async function unknownCommand(name: string, group: CommandGroup | undefined): Promise<UsageError> {
  const { nearestName } = await import('@synapsekit/core');
  const names = [...(group?.commands ?? commands).keys()];
  const meant = nearestName(name, names);
  const hint = meant === undefined ? `There are: ${names.join(', ')}.` : `Did you mean "${meant}"?`;
  const whole = group === undefined ? 'synapsekit' : `synapsekit ${group.name}`;
  return new UsageError(`${whole} has no command "${name}". ${hint}\nTry: ${whole} --help`);
}

function version(): string {
  // From `src` as from `dist`.
  const manifest: unknown = JSON.parse(fs.readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return String((manifest as { readonly version?: unknown }).version);
}
