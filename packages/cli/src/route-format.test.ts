import type { RouterModelJson } from '@synapsekit/router';
import { expect, test } from 'vitest';
import { trainingText } from './route-format.ts';

const model = (low: number): RouterModelJson =>
  ({
    form: 'learned',
    models: [
      { name: 'small', meanScore: 0.5 },
      { name: 'large', meanScore: 0.8 },
    ],
    weak: 'small',
    strong: 'large',
    training: { rows: 400 },
    validation: {
      by: 'rows',
      folds: 10,
      apgr: { value: 0.61, low: 0.55, high: 0.67 },
      lengthApgr: 0.59,
      advantage: { value: 0.02, low, high: 0.05 },
      beyondLength: { z: 2.7, p: 0.0034 },
    },
  }) as unknown as RouterModelJson;

test('what was kept, and is not ahead for sure, is told with its reason', () => {
  const text = (low: number): string => trainingText(model(low), { output: 'm.json', bytes: 2_048 });
  expect(text(-0.01)).toContain(
    'By how much is not sure yet; that it says something which length does not, is (p = 0.0034).',
  );
  expect(text(0.01)).not.toContain('not sure');
});
