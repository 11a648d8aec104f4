import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, type FSWatcher, watch } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { CommandArgs } from './command.ts';
import { type CliIo, exitCodes, interruptedCode } from './io.ts';

/** Editors write a file in several steps. */
const settleMs = 80;

const help = 'Watching. Enter: run again, f: what did not pass, l: live, q: quit.\n';

/** How a run of a watch is started. */
interface RunChoice {
  readonly extra: readonly string[];
  readonly why: string;
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
    session.run({ extra: [], why: '' });
  });
}

class WatchSession {
  readonly #argv: readonly string[];
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
    this.#argv = childArguments(args);
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
    const child = fork(process.argv[1] as string, [...this.#argv, ...choice.extra], {
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
    this.#timer = setTimeout(() => this.run({ extra: [], why: `${basename(path)} changed.` }), settleMs);
  }

  #readKeys(): void {
    const { stdin } = process;
    if (!stdin.isTTY) return;
    stdin.setRawMode(true);
    stdin.resume();
    stdin.on('data', (data) => {
      const key = String(data);
      if (key === '\u0003' || key === 'q') this.onQuit();
      else if (key === '\r' || key === 'r') this.run({ extra: [], why: 'Again.' });
      else if (key === 'f') this.run({ extra: ['--only-failed'], why: 'What did not pass.' });
      else if (key === 'l') this.run({ extra: ['--live'], why: 'Live: this costs what it costs.' });
    });
  }
}

/** What was typed, without the flag that brought us here. */
function childArguments({ positionals, flags }: CommandArgs): readonly string[] {
  const argv = ['test'];
  const modes = ['live', 'record', 'rerecord', 'replay'];
  for (const [name, value] of Object.entries(flags)) {
    if (name === 'watch') continue;
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each === true) argv.push(`--${name}`);
      else if (typeof each === 'string') argv.push(`--${name}=${each}`);
    }
  }
  if (!modes.some((mode) => flags[mode] === true)) argv.push('--replay');
  return positionals.length > 0 ? [...argv, '--', ...positionals] : argv;
}
