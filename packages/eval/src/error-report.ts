/** An error as the report of a run has it: its words and its stack, nothing else it may carry. JSON-safe. */
export interface ErrorReport {
  readonly name: string;
  readonly message: string;
  /** The frames of the user's code; those of Node and of the runner are left out. */
  readonly stack: readonly string[];
  /** What caused it, at most three deep. */
  readonly cause?: ErrorReport | undefined;
}

const maxFrames = 10;
const maxMessage = 4_000;

/** Reports anything that was thrown. Never throws. */
export function reportError(error: unknown, depth = 3): ErrorReport {
  const message = read(error, 'message');
  if (typeof message !== 'string') {
    return { name: 'Error', message: `${printable(error)} was thrown, which is no Error.`, stack: [] };
  }
  const cause = depth > 0 ? read(error, 'cause') : undefined;
  return {
    name: printable(read(error, 'name')) || 'Error',
    message: message.length > maxMessage ? `${message.slice(0, maxMessage)}…` : message,
    stack: userFrames(read(error, 'stack')),
    ...(cause !== undefined && { cause: reportError(cause, depth - 1) }),
  };
}

/** Where the runner's own code lies. */
const runnerFolder = import.meta.dirname;

function userFrames(stack: unknown): string[] {
  if (typeof stack !== 'string') return [];
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  // What called the runner is nobody's fault in a case.
  const start = frames.findIndex((line) => line.includes(' runTrial '));
  const user = frames
    .slice(0, start === -1 ? undefined : start)
    .filter((line) => !line.includes('node:') && !isRunnerFrame(line));
  while (user.at(-1)?.includes(' Promise.all ') === true) user.pop(); // with nobody who called it
  return user.slice(0, maxFrames).map((line) => line.trim());
}

function isRunnerFrame(line: string): boolean {
  // `raceAbort` is core's; the runner awaits the case in it.
  return (line.includes(runnerFolder) && !line.includes('.test.')) || line.includes(' raceAbort ');
}

function read(value: unknown, key: string): unknown {
  try {
    return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  } catch {
    return undefined; // a getter that throws, a hostile Proxy
  }
}

function printable(value: unknown): string {
  try {
    return String(value).slice(0, maxMessage);
  } catch {
    return `A value of type ${typeof value}`;
  }
}
