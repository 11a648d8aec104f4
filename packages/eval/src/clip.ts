/** How much of a text a report takes, in characters. */
export const textLimits = {
  /** Names of cases and suites: they are typed on command lines. */
  name: 1_000,
  /** Names that others give: of metrics, models, scopes, errors. */
  label: 200,
  /** What a metric says, why a case did not pass. */
  detail: 2_000,
  /** What a case returned. */
  output: 2_000,
  /** Messages of errors, differences to a tape. */
  message: 4_000,
} as const;

/**
 * A text of at most `maxLength` characters: what is too long keeps its beginning and its end, and says how much is
 * left out between them.
 */
export function clip(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const room = Math.max(2, maxLength - noteLength(text.length));
  const head = Math.ceil((room * 2) / 3);
  const [start, end] = [text.slice(0, head), text.slice(text.length - (room - head))];
  const leftOut = (text.length - room).toLocaleString('en-US');
  // A pair that was cut in two is no character.
  return `${start.toWellFormed()} … (${leftOut} characters left out) … ${end.toWellFormed()}`;
}

function noteLength(length: number): number {
  return ' … ( characters left out) … '.length + length.toLocaleString('en-US').length;
}
