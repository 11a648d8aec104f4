import type { CliHost } from './io.ts';

/** This process, for commands that run code of the user in it. */
export function createHost(): CliHost {
  return {
    interceptOutput,
    guard,
    // A parent that watches wants to know what to watch.
    ...(process.env.SYNAPSEKIT_WATCH === '1' && {
      onModule: (path: string) => void process.send?.({ type: 'module', path }),
    }),
  };
}

function interceptOutput({
  beforeWrite,
  onOutput,
  toStderr,
}: Parameters<CliHost['interceptOutput']>[0]): () => void {
  const { stdout, stderr } = process;
  const originals = [stdout.write, stderr.write] as const;
  const [toOut, toErr] = [stdout.write.bind(stdout), stderr.write.bind(stderr)];
  const through = (write: typeof toOut): typeof toOut =>
    ((...args: Parameters<typeof toOut>) => {
      beforeWrite();
      return write(...args);
    }) as typeof toOut;
  const toOutput: typeof toOut = ((...args: Parameters<typeof toOut>) => {
    const text: string | Uint8Array = args[0];
    onOutput(typeof text === 'string' ? text.slice(-1) : Buffer.from(text.subarray(-1)).toString());
    return toOut(...args);
  }) as typeof toOut;
  stdout.write = through(toStderr ? toErr : toOutput);
  stderr.write = through(toErr);
  return () => {
    [stdout.write, stderr.write] = originals;
  };
}

/** Ways to end the process from within, by name: none of them may make a run end that looks like a good one. */
const waysOut = ['exit', 'reallyExit', 'abort', 'execve'] as const;

function guard({ onError, onExit }: Parameters<CliHost['guard']>[0]): () => void {
  let exiting = false;
  const onExiting = (): void => {
    exiting = true;
  };
  const restore = waysOut.map((name) => {
    const original: unknown = Reflect.get(process, name);
    if (typeof original !== 'function') return () => {}; // not every version has all of them
    const refuse = (...args: unknown[]): unknown => {
      // What ends the process in the end: somebody kept the real `process.exit`, whose listeners were told.
      if (exiting && name === 'reallyExit') return Reflect.apply(original, process, [Number(args[0]) || 1]);
      const error = new Error(
        `process.${name}(${name.endsWith('xit') ? (args[0] ?? '') : ''}) was called. An eval case must not end the process: the cases after it would not run.`,
      );
      Error.captureStackTrace(error, refuse); // begins where it was called
      onExit(error);
      throw error;
    };
    Reflect.set(process, name, refuse);
    return () => void Reflect.set(process, name, original);
  });
  process.prependListener('exit', onExiting);
  process.on('uncaughtException', onError);
  process.on('unhandledRejection', onError);
  return () => {
    for (const each of restore) each();
    process.off('exit', onExiting);
    process.off('uncaughtException', onError);
    process.off('unhandledRejection', onError);
  };
}
