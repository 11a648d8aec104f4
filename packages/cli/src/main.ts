import { createHost } from './host.ts';
import { type CliIo, exitCodes, Interruption } from './io.ts';
import { runCli } from './run-cli.ts';

/** Runs the command line of this process, and ends the process with its exit code. */
export async function main(): Promise<void> {
  const { exit, nextTick } = process;
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      const interruption = new Interruption(name);
      if (!controller.signal.aborted) return controller.abort(interruption);
      // Asked twice: at once, whatever listeners of the user's code think of it.
      process.stderr.write('Interrupted again: not everything was reported.\n');
      end(interruption.exitCode);
    });
  }

  let done = false;
  process.on('exit', (code) => {
    if (done) return;
    // Somebody else ended the process, or nothing was left to wait for: never a success.
    if (code === 0) process.exitCode = exitCodes.failed;
    process.stderr.write('The process was ended before the command was done.\n');
  });

  const end = (code: number): void => {
    done = true;
    // Whatever the user's code does when the process exits, it exits with this.
    process.exit = () => exit.call(process, code);
    process.on('exit', () => {
      process.exitCode = code;
    });
    exit.call(process, code);
  };

  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return end(141); // whoever read it has heard enough, as `head` does
    process.stderr.write(`Standard output cannot be written to: ${error.message}.\n`);
    end(exitCodes.failed);
  });
  // Nobody hears what is said there; the results and the exit code are still right.
  process.stderr.on('error', () => {});

  const io: CliIo = {
    stdout: outlet(process.stdout),
    stderr: outlet(process.stderr),
    env: process.env,
    cwd: process.cwd(),
    signal: controller.signal,
    host: createHost(),
  };
  const code = await runCli(process.argv.slice(2), io);
  process.nextTick = nextTick; // streams need it, and a case may have left another one in its place
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  // Servers and sockets that the user's code left open must not keep the process alive.
  end(code);
}

/** The stream with the `write` that it has now, whoever replaces it later. */
function outlet(stream: NodeJS.WriteStream): CliIo['stdout'] {
  const write = stream.write.bind(stream);
  return { write: (text) => write(text), isTTY: stream.isTTY, columns: stream.columns };
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}
