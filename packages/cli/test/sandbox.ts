import { type ChildProcess, execFile, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const packageFolder = join(import.meta.dirname, '..');
const bin = join(packageFolder, 'src/bin.ts');

/** How the command ended. */
interface Ended {
  /** -1 when a signal ended it. */
  readonly code: number;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder of eval files, and the command run in it as a process of its own. */
export interface Sandbox extends Disposable {
  readonly folder: string;
  run(
    args: readonly string[],
    options?: {
      readonly nodeArgs?: readonly string[];
      /** A command that runs the process, with its arguments. */
      readonly under?: readonly string[] | undefined;
      /** On top of that of the test. */
      readonly env?: Readonly<Record<string, string>>;
      /** Closes the reading end of standard error at once. */
      readonly deaf?: boolean;
      /** Is handed the process as soon as it runs. */
      readonly onStart?: (child: ChildProcess) => void;
    },
  ): Promise<Ended>;
}

/** Makes a folder in which the packages of the workspace are found, as in a project that installed them. */
export function createSandbox(files: Readonly<Record<string, string>>): Sandbox {
  const parent = join(packageFolder, '.vitest');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'sandbox-'));
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return {
    folder,
    run: (args, { nodeArgs = [], under = [], env: more = {}, deaf = false, onStart } = {}) =>
      new Promise((resolve) => {
        const { FORCE_COLOR: _, CI: __, ...env } = process.env;
        const [file = process.execPath, ...all] = [...under, process.execPath, ...nodeArgs, bin, ...args];
        const child = execFile(
          file,
          all,
          { cwd: folder, env: { ...env, NO_COLOR: '1', ...more }, timeout: 60_000, maxBuffer: 500_000_000 },
          (_, stdout, stderr) =>
            resolve({ code: child.exitCode ?? -1, signal: child.signalCode, stdout, stderr }),
        );
        if (deaf) child.stderr?.destroy();
        onStart?.(child);
      }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/**
 * What takes from root the right to read and write whatever it likes: permissions of files bind the process that runs
 * under it. Empty for everybody else; `undefined` where root cannot be bound.
 */
export function asAnybody(): readonly string[] | undefined {
  if (process.getuid?.() !== 0) return [];
  const setpriv = ['setpriv', '--inh-caps=-all', '--bounding-set=-dac_override,-dac_read_search'];
  const [file = '', ...args] = setpriv;
  return spawnSync(file, [...args, 'true']).status === 0 ? setpriv : undefined;
}
