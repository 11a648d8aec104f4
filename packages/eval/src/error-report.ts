import { textLimits } from './clip.ts';
import { toldText } from './told-text.ts';

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
/** A message may look like lines of a stack. */
const maxLines = 1_000;
const maxFrame = 500;

/** Reports anything that was thrown. Never throws. */
export function reportError(error: unknown, depth = 3): ErrorReport {
  const message = read(error, 'message');
  if (typeof message !== 'string') {
    return {
      name: 'Error',
      message: `${toldText(printable(error), textLimits.message)} was thrown, which is no Error.`,
      stack: [],
    };
  }
  const cause = depth > 0 ? read(error, 'cause') : undefined;
  return {
    name: toldText(printable(read(error, 'name')), textLimits.label) || 'Error',
    message: toldText(message, textLimits.message),
    stack: userFrames(read(error, 'stack'), message),
    ...(cause !== undefined && { cause: reportError(cause, depth - 1) }),
  };
}

/** Where the runner's own code lies. */
const runnerFolder = import.meta.dirname;

function userFrames(stack: unknown, message: string): string[] {
  if (typeof stack !== 'string') return [];
  // Above the frames stands the message, which may be long, or look like frames.
  const said = message === '' ? -1 : stack.indexOf(message);
  const below = stack.slice(said === -1 ? 0 : said + message.length);
  const frames = below.split('\n', maxLines).filter((line) => /^\s+at /.test(line));
  // What called the runner is nobody's fault in a case.
  const start = frames.findIndex((line) => line.includes(' runTrial '));
  const user = frames
    .slice(0, start === -1 ? undefined : start)
    .filter((line) => !line.includes('node:') && !isRunnerFrame(line));
  while (user.at(-1)?.includes(' Promise.all ') === true) user.pop(); // with nobody who called it
  return user.slice(0, maxFrames).map((line) => toldText(line.trim(), maxFrame));
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
    return String(value);
  } catch {
    return `A value of type ${typeof value}`;
  }
}
