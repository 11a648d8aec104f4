import type { SimulatedChat } from '../provider/chat.ts';
import { plainAnswer } from './plain-answer.ts';
import { type ValueHints, valueForSchema } from './schema-value.ts';

/** The text of an answer that has to be JSON; `undefined` when any text will do. */
export function jsonAnswer(
  { body, systemText, userText }: SimulatedChat,
  label?: string,
): string | undefined {
  const format = body.response_format;
  if (format?.type !== 'json_object' && format?.type !== 'json_schema') return undefined;
  const hints: ValueHints = { question: userText, answer: () => label ?? plainAnswer(userText), label };
  const schema = format.json_schema?.schema ?? schemaFromProse(`${systemText}\n${userText}`);
  return JSON.stringify(valueForSchema(schema, hints));
}

/** Without a schema, the prompt says which members it wants, if it shows them: `{"complexity": "...", "score": 0.9}`. */
function schemaFromProse(text: string): Record<string, unknown> {
  const shown = [...text.matchAll(/["'](\w+)["']\s*:\s*(-?\d|true|false|\[)?/g)];
  const members = shown.map(
    ([, name = '', value]) => [name, { type: typeLike(value), ...items(value) }] as const,
  );
  const properties = members.length === 0 ? { answer: { type: 'string' } } : Object.fromEntries(members);
  return { type: 'object', properties, required: Object.keys(properties) };
}

function typeLike(value: string | undefined): string {
  if (value === undefined) return 'string';
  if (value === '[') return 'array';
  return /\d/.test(value) ? 'number' : 'boolean';
}

function items(value: string | undefined): object {
  return value === '[' ? { items: { type: 'string' } } : {};
}
