/** A stream that a command prints to. */
export interface CliStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** The world as a command sees it, so that commands are plain functions. */
export interface CliIo {
  readonly stdout: CliStream;
  readonly stderr: CliStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder that relative paths start from. */
  readonly cwd: string;
  /** Aborts when the user interrupts; its reason is an `Interruption`. */
  readonly signal: AbortSignal;
  /** The process, for commands that run code of the user in it. Absent in tests. */
  readonly host?: CliHost | undefined;
}

/** What a command may ask of the process that it runs in. */
export interface CliHost {
  /** Told of every file of the project that is loaded. */
  readonly onModule?: ((path: string) => void) | undefined;
  /**
   * Calls `beforeWrite` before whatever anybody but the command prints, and prints it on standard error if `toStderr`.
   * `onOutput` hears the end of what was printed on standard output.
   * Returns the way to stop.
   */
  interceptOutput(options: {
    readonly beforeWrite: () => void;
    readonly onOutput: (end: string) => void;
    readonly toStderr: boolean;
  }): () => void;
  /**
   * Calls `onError` with errors that nobody caught, in the async context where they happened, in place of ending the
   * process; and makes `process.exit`, and what else ends the process from within, throw, after `onExit` was told, since what is thrown may be caught. Returns the
   * way to stop.
   */
  guard(listeners: {
    readonly onError: (error: unknown) => void;
    readonly onExit: (error: Error) => void;
  }): () => void;
}

/** Exit codes of all commands. */
export const exitCodes = {
  ok: 0,
  /** A case failed or was unchecked; a price was not found. */
  failed: 1,
  /** Wrong usage, or nothing could be done: no file, no case, a file that does not load. */
  unusable: 2,
  /** Some cases did not run: the budget of the run was spent. */
  incomplete: 3,
  /** Something got worse than the baseline. */
  regressed: 4,
  /** A request of a replayed run is on no tape. */
  replayMiss: 5,
} as const;

/** The user (or the system) asked the command to stop. */
export class Interruption extends Error {
  override readonly name: string = 'Interruption';
  /** 128 + the number of the signal, as shells have it. */
  readonly exitCode: number;

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`Interrupted by ${signal}.`);
    this.exitCode = signal === 'SIGINT' ? 130 : 143;
  }
}

/** The exit code of a command that was interrupted. */
export function interruptedCode(signal: AbortSignal): number {
  return signal.reason instanceof Interruption ? signal.reason.exitCode : 130;
}
