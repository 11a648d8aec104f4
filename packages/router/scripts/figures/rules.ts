import type { EvaluatedRouter } from '../../src/evaluate/evaluate-routers.ts';
import { litellmComplexity, verbScore } from '../keyword-scorers.ts';

type RuleKey = 'verbs' | 'litellm score' | 'litellm tier';

/** What tables call the scorers by rules. */
export const nameInReport: Readonly<Record<RuleKey, string>> = {
  verbs: '"what/who" against "write/explain"',
  'litellm score': "LiteLLM's complexity score",
  'litellm tier': "LiteLLM's tier (what it acts on)",
};

/** The scorers by rules, as routers to be measured. */
export const rules: readonly { readonly key: RuleKey; readonly router: EvaluatedRouter }[] = [
  { key: 'verbs', router: { name: nameInReport.verbs, score: (prompt) => verbScore(String(prompt)) } },
  {
    key: 'litellm score',
    router: {
      name: nameInReport['litellm score'],
      score: (prompt) => litellmComplexity(String(prompt)).score,
    },
  },
  {
    key: 'litellm tier',
    router: { name: nameInReport['litellm tier'], score: (prompt) => litellmComplexity(String(prompt)).tier },
  },
];
