import type { CliIo } from '../src/io.ts';

/** A world that only remembers what was printed. */
export interface MemoryIo extends CliIo {
  /** All of standard output. */
  out(): string;
  /** All of standard error. */
  err(): string;
}

/** Input and output for commands that run in the test's own process. */
export function memoryIo(overrides: Partial<CliIo> = {}): MemoryIo {
  let out = '';
  let err = '';
  return {
    stdout: {
      write(text) {
        out += text;
      },
    },
    stderr: {
      write(text) {
        err += text;
      },
    },
    env: {},
    cwd: import.meta.dirname,
    signal: new AbortController().signal,
    ...overrides,
    out: () => out,
    err: () => err,
  };
}
