import type { Random } from '@synapsekit/core';

/** Edits that change nothing of what is asked. A router that decides otherwise after one of them has learnt the wrong thing. */
export const harmlessEdits: Readonly<Record<string, (text: string, random: Random) => string>> = {
  whitespace: (text) => `  ${text.replaceAll(' ', '  ')}\n`,
  'first letter': (text) => swapCase(text),
  'final sign': (text) => (/[.?!]\s*$/.test(text) ? text.replace(/[.?!]+\s*$/, '') : `${text}.`),
  greeting: (text) => `Hi! ${text}`,
  please: (text) => `Please answer this: ${text}`,
  thanks: (text) => `${text}\nThanks!`,
  typo: (text, random) => typo(text, random),
};

function swapCase(text: string): string {
  const first = text.charAt(0);
  return (first === first.toLowerCase() ? first.toUpperCase() : first.toLowerCase()) + text.slice(1);
}

/** Two neighbouring letters of one word change places. */
function typo(text: string, random: Random): string {
  const places = [...text.matchAll(/[a-z]{4,}/g)].map(({ index }) => index + 1);
  const at = places[Math.floor(random() * places.length)];
  if (at === undefined) return `${text} `;
  return text.slice(0, at) + text.charAt(at + 1) + text.charAt(at) + text.slice(at + 2);
}
