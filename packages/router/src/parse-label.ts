import { type Complexity, complexities } from './complexity.ts';

const labels = new RegExp(`\\b(${complexities.join('|')})\\b`, 'giu');

/**
 * The label in a model's answer: `"Simple."`, `"**medium**"`, `"The complexity is complex."`, JSON. Visible thinking
 * is left out. An answer that names several is read by its last line; `undefined` when that does not decide.
 */
export function parseLabel(answer: string): Complexity | undefined {
  const text = answer.replace(/<think>[\s\S]*?(<\/think>|$)/gu, '');
  const lastLine = text.trim().split('\n').at(-1) ?? '';
  return onlyLabel(text) ?? onlyLabel(lastLine);
}

function onlyLabel(text: string): Complexity | undefined {
  const found = new Set(Array.from(text.matchAll(labels), ([label]) => label.toLowerCase() as Complexity));
  const [label] = found;
  return found.size === 1 ? label : undefined;
}
