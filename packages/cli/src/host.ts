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
  toStderr,
}: {
  readonly beforeWrite: () => void;
  readonly toStderr: boolean;
}): () => void {
  const { stdout, stderr } = process;
  const originals = [stdout.write, stderr.write] as const;
  const [toOut, toErr] = [stdout.write.bind(stdout), stderr.write.bind(stderr)];
  const through = (write: typeof toOut): typeof toOut =>
    ((...args: Parameters<typeof toOut>) => {
      beforeWrite();
      return write(...args);
    }) as typeof toOut;
  stdout.write = through(toStderr ? toErr : toOut);
  stderr.write = through(toErr);
  return () => {
    [stdout.write, stderr.write] = originals;
  };
}

function guard({ onError, onExit }: Parameters<CliHost['guard']>[0]): () => void {
  const { exit } = process;
  process.exit = function refuse(code): never {
    const error = new Error(
      `process.exit(${code ?? ''}) was called. An eval case must not end the process: the cases after it would not run.`,
    );
    Error.captureStackTrace(error, refuse); // begins where it was called
    onExit(error);
    throw error;
  };
  process.on('uncaughtException', onError);
  process.on('unhandledRejection', onError);
  return () => {
    process.exit = exit;
    process.off('uncaughtException', onError);
    process.off('unhandledRejection', onError);
  };
}
