import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface ShellOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Waits this long, then kills the command. */
  readonly timeoutMs?: number;
}

export interface Outcome {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command with its output on the screen and rejects when it fails. */
export async function run(command: string, { cwd = '.', env = {} }: ShellOptions = {}): Promise<void> {
  console.log(`\n$ ${command}`);
  const child = spawn(command, {
    shell: true,
    stdio: ['ignore', 'inherit', 'inherit'],
    cwd,
    env: { ...process.env, ...env },
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`exit code ${code}: ${command}`);
}

/** Runs a program and keeps what it writes. `env` replaces the environment. */
export async function capture(
  program: string,
  args: readonly string[],
  { cwd = '.', env, timeoutMs }: ShellOptions = {},
): Promise<Outcome> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd,
    env: env ?? process.env,
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs, killSignal: 'SIGKILL' }),
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code, signal] = await once(child, 'close');
  if (signal !== null) stderr += `\nkilled by ${signal}`;
  return { ok: code === 0, stdout, stderr };
}

/** Maps `items` in their order with at most `limit` of them under way. */
export async function mapLimited<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: limit }, worker));
  return results;
}
