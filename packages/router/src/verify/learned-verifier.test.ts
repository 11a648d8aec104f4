import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Generation } from '@synapsekit/core';
import { describe, expect, test } from 'vitest';
import { sums } from '../../test/sums.ts';
import { measureGap } from '../measure/measure-gap.ts';
import { seededRandom } from '../measure/seeded-random.ts';
import { readOutcomes } from '../outcomes/read-outcomes.ts';
import { AnswerVerifier } from './answer-verifier.ts';
import { learnedVerifier } from './learned-verifier.ts';
import { measureVerifier } from './measure-verifier.ts';
import { trainVerifier, type VerifierJson, verifierRows } from './train-verifier.ts';
import type { Verdict } from './verifier.ts';

const pair = { weak: 'small', strong: 'large' };

const judge = async (
  verifier: ReturnType<typeof learnedVerifier>,
  prompt: string,
  text: string,
): Promise<Verdict> =>
  verifier.verify({
    prompt,
    options: {},
    generation: { text, toolCalls: [] as unknown } as Generation,
    ask: () => Promise.reject(new Error('asks nobody')),
  });

describe('a verifier that is trained', () => {
  const json = trainVerifier(sums(400), pair) as VerifierJson;

  test('tells good answers from bad ones that it has not seen, and knows where nobody does better', async () => {
    const verifier = learnedVerifier(JSON.parse(JSON.stringify({ verifier: json })));
    const good = await judge(verifier, 'What is 12 + 30?', '12 + 30 = 42.\n#### 42');
    const bad = await judge(verifier, 'What is 12 + 30?', 'Adding 12 and 30 we ha');
    const hopeless = await judge(verifier, 'Guess what I think of: 12 or 30?', 'Adding 12 and 30 we ha');
    expect(good.pass).toBe(true);
    expect(bad.pass).toBe(false);
    expect(hopeless.pass).toBe(true);
    expect(good.score).toBeGreaterThan(bad.score as number);
    expect(bad.gain).toBeGreaterThan(hopeless.gain as number);
    expect(bad.reason).not.toContain('Adding');
  });

  test('is the same every time, small, and survives its file', () => {
    expect(trainVerifier(sums(400), pair)).toEqual(json);
    expect(JSON.stringify(json).length).toBeLessThan(32_000);
    const read = new AnswerVerifier(JSON.parse(JSON.stringify(json)));
    const { right, strongRight, gain } = read.read('What is 1 + 1?', '1 + 1 = 2.\n#### 2');
    expect(gain).toBeCloseTo(strongRight - right, 12);
  });

  test('escalates more of the answers the larger the share that is asked for', async () => {
    const rows = sums(400, 9);
    const shares: number[] = [];
    for (const escalateShare of [0, 0.1, 0.3, 0.6, 1]) {
      const verifier = learnedVerifier(json, { escalateShare });
      const verdicts = await Promise.all(
        rows.map(({ prompt, outcomes }) => judge(verifier, String(prompt), outcomes.small?.response ?? '')),
      );
      shares.push(verdicts.filter(({ pass }) => pass === false).length / rows.length);
    }
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(shares[0]).toBe(0);
    expect(shares[4]).toBe(1);
  });

  test('is not made of too little, or of nothing to tell apart', () => {
    expect(trainVerifier(sums(199), pair)).toBeUndefined();
    expect(
      trainVerifier(
        sums(400).map((row) => ({
          ...row,
          outcomes: { ...row.outcomes, small: { score: 1, response: 'x' } },
        })),
        pair,
      ),
    ).toBeUndefined();
    expect(
      trainVerifier(
        sums(400).map((row) => ({ ...row, outcomes: { small: { score: 1 }, large: { score: 1 } } })),
        pair,
      ),
    ).toBeUndefined();
    expect(() => trainVerifier(sums(400), { weak: 'small', strong: 'small' })).toThrow(/two models/);
    expect(() => measureVerifier(sums(5), pair)).toThrow(/response/);
  });

  test('refuses files that are none', () => {
    expect(() => learnedVerifier({})).toThrow(/route train/);
    for (const none of [undefined, null, 'model.json', 7]) {
      expect(() => learnedVerifier(none)).toThrow(/route train/);
    }
    const lost = { ...json, heads: { ...json.heads, weak: null } };
    expect(() => learnedVerifier(lost)).toThrow(/heads.weak is missing/);
    expect(() => learnedVerifier({ ...json, version: 1 as never })).toThrow(/version/);
    expect(() => learnedVerifier({ ...json, norms: { means: [1], deviations: [1] } })).toThrow(/norms/);
    expect(() => learnedVerifier({ ...json, buckets: 4096 })).toThrow(/weights/);
    expect(() => learnedVerifier(json, { minGain: 2 })).toThrow(/minGain/);
    expect(() => learnedVerifier(json, { minGain: 0.1, escalateShare: 0.1 })).toThrow(/not both/);
  });
});

const data = join(
  process.env.SYNAPSEKIT_ROUTER_DATA ?? join(import.meta.dirname, '../../../../../shared/data/router'),
  'gsm8k.jsonl.gz',
);

const there = existsSync(data);
const where = there ? '' : ` (SKIPPED: no file ${data}; set SYNAPSEKIT_ROUTER_DATA to its folder)`;
const pairOfData = { weak: 'mixtral-8x7b', strong: 'gpt-4-1106' };

test.skipIf(!there)(
  `GSM8K: reading the cheap answer beats everything that reads the prompt alone${where}`,
  async () => {
    const measured = measureVerifier(await readOutcomes(data), pairOfData);
    const { weak, strong } = measured;
    const [answer, both, gain] = [measured.answerOnly, measured.withPrompt, measured.gain].map(
      (scores) => measureGap({ scores, weak, strong }, { draws: 500, random: seededRandom(1) })?.apgr,
    );
    if (answer === undefined || both === undefined || gain === undefined) throw new Error('no gap');
    /** The best router that reads the prompt: 10 folds on the same rows. */
    const promptOnly = 0.669;
    expect(answer.low).toBeGreaterThan(promptOnly);
    expect(answer.low).toBeLessThan(0.72);
    expect(answer.high).toBeGreaterThan(0.72);
    expect(both.low).toBeGreaterThan(promptOnly);
    expect(both.low).toBeLessThan(0.77);
    expect(both.high).toBeGreaterThan(0.77);
    expect(gain.low).toBeGreaterThan(answer.low);
  },
  120_000,
);

test.skipIf(!there)(
  `GSM8K: the share of escalations is about the one that was asked for${where}`,
  async () => {
    const rows = await readOutcomes(data);
    const half = rows.length / 2;
    const verifier = new AnswerVerifier(
      trainVerifier(
        rows.filter((_, i) => i < half),
        pairOfData,
      ) as VerifierJson,
    );
    const unseen = verifierRows(rows, pairOfData).filter((_, i) => i >= half);
    for (const share of [0.1, 0.2, 0.3, 0.5]) {
      const least = verifier.gainAtShare(share);
      const escalated = unseen.filter(
        ({ question, answer }) => verifier.read(question, answer).gain >= least,
      );
      expect(Math.abs(escalated.length / unseen.length - share)).toBeLessThan(0.06);
    }
  },
);
