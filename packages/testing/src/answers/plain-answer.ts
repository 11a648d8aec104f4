import { arithmeticAnswer } from './arithmetic.ts';
import { composedAnswer } from './compose.ts';
import { essays } from './essays.ts';
import { facts } from './facts.ts';

/** A text that answers the question: arithmetic, something known, or something sensible about its words. */
export function plainAnswer(question: string): string {
  const known = [...facts, ...essays].find(({ about }) => about.every((pattern) => pattern.test(question)));
  return arithmeticAnswer(question) ?? known?.answer ?? composedAnswer(question);
}
