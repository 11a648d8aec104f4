import { clip, textLimits } from './clip.ts';
import { util } from './node-builtins.ts';

/** What of a case's result is judged: a string as it is, the field `output`, or the `text` of a `Generation`. */
export function outputOf(value: unknown): unknown {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return undefined;
  try {
    if ('output' in value) return value.output;
    return 'text' in value ? value.text : undefined;
  } catch {
    return undefined; // a getter that throws, a hostile Proxy
  }
}

/** An output for reports: its beginning and its end, where it is long. */
export function outputText(output: unknown): string | undefined {
  if (output === undefined) return undefined;
  return clip(typeof output === 'string' ? output : show(output), textLimits.output);
}

/** Why a metric on text cannot judge `output`. */
export function notText(output: unknown): string {
  if (output === undefined) return 'the case returned no output';
  return `output is not text but ${output === null ? 'null' : typeof output}`;
}

/** Any value in one short line, for messages. Survives hostile ones. */
export function show(value: unknown, maxLength = 200): string {
  try {
    const text = util.inspect(typeof value === 'string' ? clip(value, maxLength) : value, {
      depth: 3,
      breakLength: Infinity,
      maxArrayLength: 20,
      maxStringLength: typeof value === 'string' ? null : maxLength,
    });
    return clip(onOneLine(text), maxLength * 2);
  } catch {
    return `(${typeof value} that cannot be shown)`;
  }
}

/** Errors are shown with their stacks, which say nothing of what they are. */
function onOneLine(text: string): string {
  return text
    .replaceAll(/\n\s+(?:at |\.{3} \d+ lines matching ).*?(?= \{$|$)/gm, '')
    .replaceAll(/\s*\n\s*/g, ' ');
}
