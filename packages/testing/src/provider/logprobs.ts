import type { ValidChat } from './chat.ts';
import type { FinishedAnswer } from './finished-answer.ts';

interface Candidate {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
}

/** Log-probability of one token of the answer, with as many alternatives as were asked for. */
export interface TokenEntry extends Candidate {
  readonly top_logprobs: readonly Candidate[];
}

/**
 * The `logprobs` of the token at `position`. They are made up: the token that came is always the likeliest, with
 * a probability that depends on nothing but its text and place.
 */
export function tokenLogprobs(
  token: string,
  position: number,
  { topLogprobs = 0 }: ValidChat,
  { alternatives }: FinishedAnswer,
): TokenEntry {
  const known = (position === 0 ? Object.entries(alternatives) : []).filter(([text]) => text !== token);
  const taken = known.reduce((sum, [, logprob]) => sum + Math.exp(logprob), 0);
  // Some tokens are surer than others; where alternatives are given, they leave over the rest.
  const chance = known.length > 0 ? Math.max(1e-6, 1 - taken) : 0.7 + 0.29 * hash(`${position} ${token}`);
  const logprob = Math.log(chance);
  const others = [...known, ...variants(token, Math.max(1e-6, 1 - chance - taken))];
  const top: readonly (readonly [string, number])[] = [[token, logprob], ...others];
  return {
    ...candidate(token, logprob),
    top_logprobs: top.slice(0, topLogprobs).map(([t, p]) => candidate(t, p)),
  };
}

/** Other spellings of the token, which share what is left of probability 1; twenty is the most that can be asked for. */
function variants(token: string, left: number): (readonly [string, number])[] {
  const word = token.trim();
  const spellings = new Set([
    word,
    ` ${word}`,
    word.toUpperCase(),
    word.toLowerCase(),
    `${word},`,
    `${word}.`,
  ]);
  for (let count = 2; spellings.size < 22; count++) spellings.add(`${word}${count}`);
  spellings.delete(token);
  return [...spellings].map((text, rank) => [text, Math.log(left) - (rank + 1) * Math.LN2]);
}

function candidate(token: string, logprob: number): Candidate {
  return { token, logprob: Number(logprob.toFixed(6)), bytes: [...Buffer.from(token)] };
}

/** A number in [0, 1) that depends on the text alone (FNV-1a). */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193);
  return (value >>> 0) / 2 ** 32;
}
