import { type Prompt, promptText, toMessages } from '@synapsekit/core';

/** The text that a prompt asks about: its last user message. Earlier turns and instructions say little about it. */
export function queryText(prompt: Prompt): string {
  if (typeof prompt === 'string') return prompt;
  const last = toMessages(prompt).findLast(({ role }) => role === 'user');
  return last === undefined ? promptText(prompt) : promptText([last]);
}

/** At most `maxChars` of a text: its beginning and its end, where queries say what they want. */
export function clipMiddle(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const head = Math.ceil(maxChars * 0.75);
  return `${text.slice(0, head).toWellFormed()}\n[…]\n${text.slice(text.length - (maxChars - head)).toWellFormed()}`;
}
