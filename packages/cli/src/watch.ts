import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, type FSWatcher, watch } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { CommandArgs } from './command.ts';
import { type CliIo, exitCodes, interruptedCode } from './io.ts';

/** Editors write a file in several steps. */
const settleMs = 80;

const help = 'Watching. Enter: run again, f: what did not pass, l: live, q: quit.\n';

/** How a run of a watch is started. */
export interface RunChoice {
  /** Flags on top of those that were typed. */
  readonly extra: CommandArgs['flags'];
  /** Flags that do not go with these. */
  readonly without: readonly string[];
  /** Said before it begins. */
  readonly why: string;
}

const modes = ['live', 'record', 'rerecord', 'replay'];
/** What is said of tapes alone, and refused without them. */
const replayFlags = ['as', 'max-tape-age'];

/** What a key asks for; `undefined` for one that asks for nothing. */
export function keyChoice(key: string): RunChoice | undefined {
  if (key === '\r' || key === 'r') return { extra: {}, without: [], why: 'Again.' };
  if (key === 'f') {
    // The rest of a run is no part of it, and of a part there is no baseline.
    const without = ['resume', 'save-baseline'];
    return { extra: { 'only-failed': true }, without, why: 'What did not pass.' };
  }
  if (key === 'l') {
    const without = [...modes, ...replayFlags];
    return { extra: { live: true }, without, why: 'Live: this costs what it costs.' };
  }
  return undefined;
}

/**
 * Runs the tests again whenever a file that they loaded changes. Each run is a process of its own, since Node keeps
 * modules for good. Traffic is replayed from tape; a live run needs a key.
 */
export function watchTests(args: CommandArgs, io: CliIo): Promise<number> {
  return new Promise((resolve) => {
    const session = new WatchSession(args, io);
    const end = (code: number): void => {
      session.close();
      resolve(code);
    };
    io.signal.addEventListener('abort', () => end(interruptedCode(io.signal)), { once: true });
    session.onQuit = () => end(exitCodes.ok);
    session.run({ extra: {}, without: [], why: '' });
  });
}

class WatchSession {
  readonly #args: CommandArgs;
  readonly #io: CliIo;
  readonly #watchers: Map<string, FSWatcher> = new Map();
  readonly #files: Set<string> = new Set();
  #child: ChildProcess | undefined;
  #next: RunChoice | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  onQuit: () => void = () => {};

  constructor(args: CommandArgs, io: CliIo) {
    this.#io = io;
    this.#args = args;
    this.#watchFolder(io.cwd);
    this.#readKeys();
  }

  run(choice: RunChoice): void {
    if (this.#closed) return;
    if (this.#child !== undefined) {
      // What it is running is out of date; it goes on when the old one has ended.
      this.#next = choice;
      this.#child.kill('SIGINT');
      return;
    }
    if (choice.why !== '') this.#io.stdout.write(`\n${choice.why}\n\n`);
    const child = fork(process.argv[1] as string, childArguments(this.#args, choice), {
      cwd: this.#io.cwd,
      env: { ...process.env, SYNAPSEKIT_WATCH: '1' },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    child.on('message', (message: { readonly type?: unknown; readonly path?: unknown }) => {
      if (message.type === 'module' && typeof message.path === 'string') this.#watchFile(message.path);
    });
    child.on('exit', () => {
      this.#child = undefined;
      const next = this.#next;
      this.#next = undefined;
      if (next !== undefined) this.run(next);
      else if (!this.#closed) this.#io.stdout.write(help);
    });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#child?.kill('SIGINT');
    for (const watcher of this.#watchers.values()) watcher.close();
    if (process.stdin.isTTY) process.stdin.setRawMode(false);
    process.stdin.pause();
  }

  #watchFile(path: string): void {
    this.#files.add(path);
    this.#watchFolder(dirname(path));
  }

  /** Folders, not files: an editor may put a new file in the place of the old one. */
  #watchFolder(folder: string): void {
    if (this.#watchers.has(folder) || !existsSync(folder)) return;
    try {
      const watcher = watch(folder, (_, name) => {
        if (typeof name === 'string') this.#changed(join(folder, name));
      });
      watcher.on('error', () => this.#watchers.delete(folder)); // the folder is gone
      this.#watchers.set(folder, watcher);
    } catch {} // it went away meanwhile
  }

  #changed(path: string): void {
    const isNew = /\.evals?\.[cm]?[jt]sx?$/.test(path);
    if (!this.#files.has(path) && !isNew) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.run({ extra: {}, without: [], why: `${basename(path)} changed.` }),
      settleMs,
    );
  }

  #readKeys(): void {
    const { stdin } = process;
    if (!stdin.isTTY) return;
    stdin.setRawMode(true);
    stdin.resume();
    stdin.on('data', (data) => {
      const key = String(data);
      if (key === '\u0003' || key === 'q') return this.onQuit();
      const choice = keyChoice(key);
      if (choice !== undefined) this.run(choice);
    });
  }
}

/** What was typed, without the flag that brought us here and as the run is chosen. */
export function childArguments(
  { positionals, flags }: CommandArgs,
  { extra, without }: Pick<RunChoice, 'extra' | 'without'>,
): readonly string[] {
  const argv = ['test'];
  const left = Object.entries(flags).filter(([name]) => name !== 'watch' && !without.includes(name));
  const chosen: CommandArgs['flags'] = { ...Object.fromEntries(left), ...extra };
  for (const [name, value] of Object.entries(chosen)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each === true) argv.push(`--${name}`);
      else if (typeof each === 'string') argv.push(`--${name}=${each}`);
    }
  }
  if (!modes.some((mode) => chosen[mode] === true)) argv.push('--replay');
  return positionals.length > 0 ? [...argv, '--', ...positionals] : argv;
}
