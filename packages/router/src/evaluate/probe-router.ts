import type { Clock, Prompt, Random } from '@synapsekit/core';
import { quantile } from '../measure/bootstrap.ts';
import { harmlessEdits } from './harmless-edits.ts';

/** How a scorer behaves, beside what it is worth. */
export interface RouterProbe {
  /** Share of decisions (half of the queries go to the strong model) that a harmless edit of the prompt turns. */
  readonly flipRate: number;
  /** By edit. */
  readonly flipRates: Readonly<Record<string, number>>;
  /** Microseconds per decision, on average over the sampled prompts, in the fastest of some rounds. */
  readonly microseconds: number;
  /** Microseconds for a prompt of 500 characters. */
  readonly microsecondsAt500Chars: number;
  readonly attack: AttackResult;
}

/** What a prefix, the same for all queries, does to a router. */
export interface AttackResult {
  /** Share of strong calls without it: where the threshold stands. */
  readonly before: number;
  /** With the worst prefix that was found, in the message itself. */
  readonly inMessage: number;
  /** With the same text in an earlier message: nothing moves where the last message alone is scored. */
  readonly inEarlierMessage: number;
  /** In the message, against the hardened score (`hardenedGain`). `undefined` where there is none. */
  readonly hardened: number | undefined;
  /** How many words the prefix has. */
  readonly words: number;
}

/** What is probed. */
export interface ProbedRouter {
  readonly score: (prompt: Prompt) => number;
  readonly hardenedScore?: ((prompt: Prompt) => number) | undefined;
}

const sampleSize = 200;
const timingRounds = 20;
const longestProbe = 20_000;
const attackRounds = 12;
const attackPrompts = 24;
const attackWords = 80;

/** Finds out how steady a router is, how fast, and how easily it is talked into the dear model. */
export function probeRouter(
  router: ProbedRouter,
  texts: readonly string[],
  { random, clock }: { readonly random: Random; readonly clock: Clock },
): RouterProbe {
  // Of a prompt of megabytes its end is enough: it is edited and prefixed thousands of times.
  const sample = pick(texts, sampleSize, random).map((text) => text.slice(-longestProbe));
  const threshold = median(sample.map(router.score));
  const up = (prompt: Prompt): boolean => router.score(prompt) > threshold;
  const flipRates = Object.fromEntries(
    Object.entries(harmlessEdits).map(([name, edit]) => [
      name,
      share(sample, (text) => up(text) !== up(edit(text, random))),
    ]),
  );
  const rates = Object.values(flipRates);
  return {
    flipRate: rates.reduce((sum, rate) => sum + rate, 0) / rates.length,
    flipRates,
    microseconds: microseconds(router.score, sample, clock),
    microsecondsAt500Chars: microseconds(router.score, ofLength(sample, 500), clock),
    attack: attack(router, sample, random),
  };
}

/** A prefix is put together word by word, each the one that lifts the scores of some queries most. */
function attack(router: ProbedRouter, sample: readonly string[], random: Random): AttackResult {
  const victims = sample.slice(0, attackPrompts);
  const lift = (prefix: string): number =>
    victims.reduce((sum, text) => sum + router.score(`${prefix}\n${text}`), 0) / victims.length;
  const ranked = sample.toSorted((a, b) => router.score(b) - router.score(a));
  const vocabulary = [...new Set(ranked.slice(0, 20).flatMap((text) => text.split(/\s+/)))].filter(Boolean);
  const words = pick(vocabulary, attackWords, random);
  let prefix = '';
  let best = Number.NEGATIVE_INFINITY;
  for (let round = 0; round < attackRounds; round++) {
    const tries = words.map((word) => (prefix === '' ? word : `${prefix} ${word}`));
    const lifts = tries.map(lift);
    const top = Math.max(...lifts);
    if (!(top > best)) break;
    [prefix, best] = [tries[lifts.indexOf(top)] ?? prefix, top];
  }
  const flood = ranked[0]?.repeat(Math.ceil(4_000 / Math.max(1, ranked[0].length))) ?? '';
  if (lift(flood) > best) prefix = flood;

  const threshold = median(sample.map(router.score));
  const share = (score: (prompt: Prompt) => number, limit: number, put: (text: string) => Prompt): number =>
    sample.filter((text) => score(put(text)) > limit).length / sample.length;
  const within = (text: string): Prompt => `${prefix}\n${text}`;
  const { hardenedScore } = router;
  return {
    before: share(router.score, threshold, (text) => text),
    inMessage: share(router.score, threshold, within),
    inEarlierMessage: share(router.score, threshold, (text) => [
      { role: 'user', content: prefix },
      { role: 'user', content: text },
    ]),
    hardened:
      hardenedScore === undefined
        ? undefined
        : share(hardenedScore, median(sample.map(hardenedScore)), within),
    words: prefix.split(/\s+/).length,
  };
}

/** Of the fastest round: what else the machine does must not count. */
function microseconds(score: (prompt: Prompt) => number, texts: readonly string[], clock: Clock): number {
  let fastestMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < timingRounds; round++) {
    const start = clock.monotonic();
    for (const text of texts) score(text);
    fastestMs = Math.min(fastestMs, clock.monotonic() - start);
  }
  return (fastestMs * 1_000) / texts.length;
}

/** Real text of one length: prompts one after the other, cut. */
function ofLength(sample: readonly string[], chars: number): readonly string[] {
  const all = sample.join('\n').padEnd(chars, 'a question of some words? ');
  return Array.from({ length: Math.min(100, Math.floor(all.length / chars)) }, (_, i) =>
    all.slice(i * chars, (i + 1) * chars),
  );
}

function pick<T>(from: readonly T[], count: number, random: Random): T[] {
  const rest = [...from];
  const picked: T[] = [];
  while (picked.length < count && rest.length > 0) {
    const at = Math.floor(random() * rest.length);
    picked.push(rest[at] as T);
    rest[at] = rest.at(-1) as T;
    rest.pop();
  }
  return picked;
}

function share<T>(of: readonly T[], test: (item: T) => boolean): number {
  return of.filter(test).length / Math.max(1, of.length);
}

function median(values: readonly number[]): number {
  return quantile(Float64Array.from(values).sort(), 0.5);
}
