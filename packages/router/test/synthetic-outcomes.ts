import { seededRandom } from '../src/measure/seeded-random.ts';
import type { OutcomeRow } from '../src/outcomes/outcome.ts';

const topics = {
  // The strong model gains here …
  proof: ['prove', 'theorem', 'lemma', 'integral', 'matrix', 'converges'],
  // … hardly here, as both can …
  capital: ['capital', 'city', 'country', 'river', 'flag', 'population'],
  // … and not here, as neither can.
  riddle: ['riddle', 'lottery', 'tomorrow', 'guess', 'number', 'dice'],
} as const;

const chances = {
  proof: { weak: 0.25, strong: 0.85 },
  capital: { weak: 0.93, strong: 0.97 },
  riddle: { weak: 0.08, strong: 0.1 },
} as const;

/** Outcomes whose rule is known: who gains depends on the topic, and the longest prompts are hopeless. */
export function syntheticOutcomes(
  count: number,
  { seed = 1, costs = true }: { readonly seed?: number; readonly costs?: boolean } = {},
): OutcomeRow[] {
  const random = seededRandom(seed);
  const names = Object.keys(topics) as (keyof typeof topics)[];
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  return Array.from({ length: count }, (_, index) => {
    const topic = pick(names);
    const length = topic === 'riddle' ? 18 : 6;
    const words = Array.from({ length: length + Math.floor(random() * 8) }, () =>
      random() < 0.5 ? pick(topics[topic]) : pick(['the', 'of', 'what', 'is', 'a', 'for', 'with', 'in']),
    );
    const { weak, strong } = chances[topic];
    const score = (chance: number): number => (random() < chance ? 1 : 0);
    return {
      id: `row-${index}`,
      group: topic,
      prompt: `${words.join(' ')} ${index}?`,
      outcomes: {
        small: { score: score(weak), latencyMs: 300, ...(costs && { costUsd: 0.0002 }) },
        large: { score: score(strong), latencyMs: 1_500, ...(costs && { costUsd: 0.004 }) },
      },
    };
  });
}
