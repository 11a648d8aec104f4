import { defineLLM } from '@synapsekit/core';
import { GainModel } from '@synapsekit/router';
import { trainRouterModel } from '@synapsekit/router/offline';
import { seededRandom } from '@synapsekit/testing';
import { litellmComplexity } from '../../packages/router/scripts/keyword-scorers.ts';
import { RouteDesk } from '../../packages/router/src/policy/route-desk.ts';
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
    const megabytes = Buffer.from(text(10_000).repeat(1_000)).toString();
    const pool = ['small', 'large'].map((name) =>
      defineLLM({ provider: 'bench', model: name, generate: () => name }),
    );
    const candidates = pool.map((llm) => ({ llm }));
    const desk = new RouteDesk({ router: 'bench' });
    const into = new Float64Array(2);
    return [
      await compare({
        title: 'A query of 500 characters',
        note: "The keyword scorer has the seven dimensions and the word lists of LiteLLM's complexity router, in code of ours.",
        mode: 'sync',
        contenders: [
          { name: 'length', op: (index) => at(index).length },
          { name: 'learned gain', op: (index) => model.gainOfText(at(index)) },
          { name: 'learned gain, hardened', op: (index) => model.predict(at(index), { hardened: true }) },
          { name: 'keyword scorer', op: (index) => litellmComplexity(at(index)).score },
        ],
        targets: [
          { text: 'against a keyword scorer', ratio: ['learned gain', 'keyword scorer'], limit: 0.2 },
          { text: 'a decision, in ns', value: 'learned gain', limit: 50_000 },
        ],
      }),
      await compare({
        title: 'A query of ten megabytes',
        note: 'A whole decision of a router: gates, gain, record. The gain alone reads the end of the text.',
        mode: 'sync',
        contenders: [
          { name: 'learned gain', op: () => model.gainOfText(megabytes) },
          {
            name: 'decision',
            op: () => {
              desk.requireServable(megabytes, {}, pool);
              model.predictText(megabytes, into);
              return desk.decide({ prompt: megabytes, options: {}, candidates, qualityPerUsd: 0 }).plan
                .length;
            },
          },
        ],
        targets: [{ text: 'a decision, in ns', value: 'decision', limit: 3_000_000 }],
      }),
    ];
  },
};
