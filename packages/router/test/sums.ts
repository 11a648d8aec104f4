import { seededRandom } from '../src/measure/seeded-random.ts';
import type { OutcomeRow } from '../src/outcomes/outcome.ts';

/** Sums, right or wrong, that show whether they are: a wrong one breaks off. The large model fails one kind of question. */
export function sums(count: number, seed = 1): OutcomeRow[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, i) => {
    const [a, b] = [Math.floor(random() * 90) + 10, Math.floor(random() * 90) + 10];
    const right = random() < 0.6;
    const hopeless = random() < 0.3;
    return {
      id: `sum-${i}`,
      prompt: hopeless ? `Guess what I think of: ${a} or ${b}?` : `What is ${a} + ${b}?`,
      outcomes: {
        small: {
          score: right ? 1 : 0,
          response: right ? `${a} + ${b} = ${a + b}.\n#### ${a + b}` : `Adding ${a} and ${b} we ha`,
        },
        large: { score: hopeless ? 0 : 1 },
      },
    };
  });
}
