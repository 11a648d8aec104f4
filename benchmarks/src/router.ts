import { GainModel } from '@synapsekit/router';
import { trainRouterModel } from '@synapsekit/router/offline';
import { seededRandom } from '@synapsekit/testing';
import type { Bench } from './harness/bench.ts';

const words =
  'what is the sum of a function that explains how to write and compare two systems step by step when numbers are given'.split(
    ' ',
  );
const random = seededRandom(7);
const text = (length: number): string => {
  let made = '';
  while (made.length < length) made += `${words[Math.floor(random() * words.length)]} `;
  return made.slice(0, length);
};

/** Scorers by keywords have seven lists of words, looked for one after the other as whole words, case folded. */
const lists: readonly (readonly string[])[] = [
  [
    'function',
    'class',
    'import',
    'def',
    'return',
    'async',
    'await',
    'const',
    'python',
    'javascript',
    'sql',
    'api',
    'regex',
    'debug',
    'compile',
  ],
  [
    'prove',
    'derive',
    'theorem',
    'reason',
    'think',
    'therefore',
    'deduce',
    'infer',
    'logic',
    'step by step',
    'explain why',
    'trade-off',
  ],
  [
    'algorithm',
    'complexity',
    'distributed',
    'kubernetes',
    'architecture',
    'protocol',
    'encryption',
    'quantum',
    'latency',
    'throughput',
  ],
  ['what is', 'define', 'who is', 'when did', 'capital of', 'translate', 'hello', 'thanks', 'list', 'name'],
  ['first', 'then', 'next', 'finally', 'after that', 'step 1', 'step 2', 'phase', 'stage'],
  ['write a story', 'poem', 'imagine', 'creative', 'brainstorm', 'slogan', 'metaphor'],
  ['must', 'at most', 'at least', 'exactly', 'constraint', 'no more than', 'within', 'budget', 'deadline'],
];
const patterns = lists.map((list) => list.map((word) => new RegExp(`\\b${word}\\b`)));
const weights = [0.3, 0.25, 0.25, -0.05, 0.03, 0.05, 0.07];

function keywordScore(query: string): number {
  const folded = query.toLowerCase();
  let score = query.length / 4 > 400 ? 0.1 : 0;
  for (const [index, list] of patterns.entries()) {
    const hits = list.filter((pattern) => pattern.test(folded)).length;
    score += (weights[index] ?? 0) * Math.min(1, hits / 3);
  }
  return score;
}

export const bench: Bench = {
  title: 'Router, one decision',
  async run({ compare }) {
    const rows = Array.from({ length: 600 }, (_, id) => {
      const prompt = text(80 + Math.floor(random() * 800));
      const hard = prompt.includes('step') && random() < 0.8;
      return {
        id: String(id),
        prompt,
        outcomes: { small: { score: hard ? 0 : 1 }, large: { score: random() < 0.95 ? 1 : 0 } },
      };
    });
    const trained = await trainRouterModel(rows, { weak: 'small', strong: 'large', fallback: false });
    const model = new GainModel(trained.json);
    const queries = Array.from({ length: 64 }, () => text(500));
    const at = (index: number): string => queries[index % queries.length] ?? '';
    if (new Set(queries.map((query) => model.gainOfText(query))).size < 32)
      throw new Error('The model says nothing.');
    return [
      await compare({
        title: 'A query of 500 characters',
        note: 'The keyword scorer is ours, in the form that is usual: seven lists of whole words.',
        mode: 'sync',
        contenders: [
          { name: 'length', op: (index) => at(index).length },
          { name: 'learned gain', op: (index) => model.gainOfText(at(index)) },
          { name: 'learned gain, hardened', op: (index) => model.predict(at(index), { hardened: true }) },
          { name: 'keyword scorer', op: (index) => keywordScore(at(index)) },
        ],
        targets: [
          { text: 'against a keyword scorer', ratio: ['learned gain', 'keyword scorer'], limit: 0.2 },
          { text: 'a decision, in ns', value: 'learned gain', limit: 50_000 },
        ],
      }),
    ];
  },
};
