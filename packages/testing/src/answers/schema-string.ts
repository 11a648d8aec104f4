import { topicWords } from './compose.ts';
import type { ValueHints } from './schema-value.ts';

/** One valid text for each `format` of JSON Schema. */
const formats: Readonly<Record<string, string>> = {
  date: '2026-01-15',
  time: '09:30:00Z',
  'date-time': '2026-01-15T09:30:00Z',
  duration: 'PT15M',
  email: 'ada@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  uuid: '3f2b8c1e-9d4a-4c6b-8e21-5a7d0c9b4f10',
};

/** A text for the member `name`. */
export function stringValue(
  schema: Readonly<Record<string, unknown>>,
  name: string,
  hints: ValueHints,
): string {
  const { format, pattern, minLength = 0, maxLength = Number.POSITIVE_INFINITY } = schema;
  if (typeof format === 'string' && formats[format] !== undefined) return formats[format];
  const candidates = [nearName(name, hints), ...hints.question.split(/[\s,;:?!]+/), '1', 'a', 'A1'];
  const matching =
    typeof pattern === 'string' ? candidates.find((text) => matches(pattern, text)) : undefined;
  const text = matching ?? nearName(name, hints);
  return text.padEnd(Number(minLength), '.').slice(0, Number(maxLength));
}

/** What a member of this name most likely wants. */
function nearName(name: string, { question, answer, label }: ValueHints): string {
  if (/answer|text|summary|explan|content|response|reason|message|description|thought/i.test(name))
    return answer();
  if (label !== undefined && /complexity|label|class|category|level/i.test(name)) return label;
  if (/query|question|prompt|input|search/i.test(name)) return question;
  if (/city|location|place|country|region|town|destination|origin/i.test(name)) return placeIn(question);
  const capitalised = question
    .slice(1)
    .match(/(?<=\s)\p{Lu}[\p{L}\p{N}-]*(?:\s+\p{Lu}[\p{L}\p{N}-]*)*/u)?.[0];
  return capitalised ?? (topicWords(question, 3).join(' ') || 'none');
}

function placeIn(question: string): string {
  const place = question.match(
    /\b(?:in|at|for|to|from|of|near)\s+(\p{Lu}[\p{L}-]*(?:[\s,]+\p{Lu}[\p{L}-]*)*)/u,
  )?.[1];
  return place?.trim() ?? 'Paris';
}

function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(text);
  } catch {
    return false; // a schema with a broken pattern is the caller's affair
  }
}
