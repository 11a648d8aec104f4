import type { CliIo } from './io.ts';

/** A flag of a command. */
export interface FlagSpec {
  readonly type: 'boolean' | 'string';
  readonly short?: string;
  /** What stands for the value in the help: `"N"`. */
  readonly value?: string;
  /** May be given several times. */
  readonly multiple?: boolean;
  readonly help: string;
}

/** The value of a flag: that of the last one, or all of them where several are allowed. */
type FlagValue = string | boolean | readonly (string | boolean)[] | undefined;

/** What was typed. */
export interface CommandArgs {
  readonly positionals: readonly string[];
  readonly flags: Readonly<Record<string, FlagValue>>;
}

/** A command of `synapsekit`. */
export interface Command {
  readonly name: string;
  /** How it is called, one line each, without `synapsekit`. */
  readonly usage: readonly string[];
  /** What it does, in a paragraph or two. */
  readonly about: string;
  readonly flags: Readonly<Record<string, FlagSpec>>;
  /** Printed below the flags. */
  readonly notes?: string;
  /**
   * @returns the exit code.
   * @throws UsageError for arguments that make no sense.
   */
  run(args: CommandArgs, io: CliIo): Promise<number>;
}

/** A command that is made up of others: `synapsekit route eval`. */
export interface CommandGroup {
  readonly name: string;
  /** What they are for, in a paragraph or two. */
  readonly about: string;
  readonly commands: ReadonlyMap<string, CommandEntry>;
  /** Printed below the commands. */
  readonly notes?: string;
}

/** A command before it is needed. */
export interface CommandEntry {
  readonly summary: string;
  load(): Promise<Command | CommandGroup>;
}

/** The command line makes no sense. Printed without a stack, with a hint to the help; exit code 2. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
}
