import { runDemo } from './run-demo.ts';

const interruption = new AbortController();
// Once: a second Ctrl-C ends the process the hard way.
process.once('SIGINT', () => interruption.abort(new Error('Interrupted.')));
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(141); // whoever read it has heard enough, as `head` does
});

void runDemo(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: interruption.signal,
}).then((code) => {
  process.exitCode = code;
});
