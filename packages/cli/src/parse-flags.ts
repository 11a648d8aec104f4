import { type Command, type CommandArgs, UsageError } from './command.ts';
import { util } from './node-builtins.ts';

/**
 * Reads the arguments of a command.
 *
 * @throws UsageError for flags that it does not have, or that miss their value.
 */
export async function parseFlags(command: Command, argv: readonly string[]): Promise<CommandArgs> {
  const options: Record<string, { type: 'boolean' | 'string'; short?: string; multiple?: boolean }> = {};
  for (const [name, { type, short, multiple }] of Object.entries(command.flags)) {
    options[name] = { type, ...(short !== undefined && { short }), ...(multiple === true && { multiple }) };
  }
  try {
    const { values, positionals } = util.parseArgs({ args: [...argv], options, allowPositionals: true });
    return { positionals, flags: values };
  } catch (error) {
    if (!(error instanceof Error) || !String(Reflect.get(error, 'code')).startsWith('ERR_PARSE_ARGS'))
      throw error;
    const [, unknown] = /^Unknown option '(.+?)'/.exec(error.message) ?? [];
    if (unknown === undefined) throw new UsageError(misused(error.message));
    const { nearestName } = await import('@synapsekit/core');
    const meant = nearestName(
      unknown,
      [...Object.keys(command.flags), 'help'].map((name) => `--${name}`),
    );
    const hint = meant === undefined ? '' : ` Did you mean ${meant}?`;
    throw new UsageError(`synapsekit ${command.name} has no flag ${unknown}.${hint}`);
  }
}

/** What Node says of a flag, in one sentence or two. */
function misused(message: string): string {
  const [, flag] = /^Option '(?:-., )?(-\S+)' argument is ambiguous/.exec(message) ?? [];
  if (flag !== undefined)
    return `${flag} needs a value. One that begins with a dash is written ${dashed(flag)}`;
  return `${message.split('. ')[0]}.`;
}

function dashed(flag: string): string {
  return flag.startsWith('--') ? `${flag}=-…` : `${flag}-…`;
}

/**
 * The value of a flag as a number.
 *
 * @throws UsageError when it is none, or out of range.
 */
export function numberFlag(
  { flags }: CommandArgs,
  name: string,
  { min, integer = true }: { readonly min: number; readonly integer?: boolean },
): number | undefined {
  const text = flags[name];
  if (typeof text !== 'string') return undefined;
  const value = /^(\d+(\.\d+)?|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && (!integer || Number.isSafeInteger(value))) return value;
  throw new UsageError(
    `--${name} must be a ${integer ? 'whole number' : 'number'} >= ${min}, got "${text}".`,
  );
}

/** The value of a flag as text. */
export function textFlag({ flags }: CommandArgs, name: string): string | undefined {
  const text = flags[name];
  return typeof text === 'string' ? text : undefined;
}

/** The values of a flag that may be given several times; commas separate as well. */
export function listFlag({ flags }: CommandArgs, name: string): readonly string[] {
  const given = flags[name];
  const values = Array.isArray(given) ? given : [given];
  return values.flatMap((value: unknown) => (typeof value === 'string' ? value.split(',') : []));
}

/**
 * The value of a flag as a time in milliseconds: `500`, `500ms`, `30s`, `2m`.
 *
 * @throws UsageError when it is none, or zero.
 */
export function durationFlag({ flags }: CommandArgs, name: string): number | undefined {
  const text = flags[name];
  if (typeof text !== 'string') return undefined;
  const [, amount, unit = 'ms'] = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text) ?? [];
  const ms = Number(amount) * ({ ms: 1, s: 1_000, m: 60_000 }[unit] ?? Number.NaN);
  if (ms > 0) return ms;
  throw new UsageError(`--${name} must be a time such as 500ms, 30s or 2m, got "${text}".`);
}
