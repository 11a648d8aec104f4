/**
 * Scorers by rules, as other routers ship them: to be measured beside ours (`pnpm router:figures`, `pnpm bench`), and not
 * part of any package. The code is ours; the rules and their lists of words are those that were published.
 */

/** What a rule that sorts by complexity says of a query. */
export interface RuleScore {
  /** The higher, the more complex. */
  readonly score: number;
  /** What it acts on: 0 (simple) to 3 (reasoning). */
  readonly tier: number;
}

/**
 * LiteLLM's complexity router, `classifier_type: heuristic` with its defaults: litellm/router_strategy/complexity_router
 * (config.py and complexity_router.py) of BerriAI/litellm at 006f3eb, MIT licence. Seven dimensions are weighed and
 * added; bounds make tiers of the sum, and two marks of reasoning make the highest one of anything. (Releases from
 * October 2026 ask a score of 0.15 for the latter.)
 */
const complexityRule = {
  weights: {
    tokens: 0.1,
    code: 0.3,
    reasoning: 0.25,
    technical: 0.25,
    simple: 0.05,
    steps: 0.03,
    questions: 0.02,
  },
  bounds: [0.15, 0.35, 0.6],
  shortTokens: 15,
  longTokens: 400,
  manyQuestions: 3,
  /** From so many words on, so much: `[words, value]`, the last that is reached. */
  code: {
    steps: [
      [1, 0.5],
      [2, 1],
    ],
    words:
      'function class def const let var import export return async await try catch exception error debug api endpoint request response database sql query schema algorithm implement refactor optimize python javascript typescript java rust golang react vue angular node docker kubernetes git commit merge branch'.split(
        ' ',
      ),
    phrases: ['pull request'],
  },
  reasoning: {
    steps: [
      [1, 0.7],
      [2, 1],
    ],
    words: ['evaluate', 'logical', 'deduce', 'infer', 'conclude'],
    phrases: [
      ...['step by step', 'think through', "let's think", 'reason through', 'analyze this', 'break down'],
      ...['explain your reasoning', 'show your work', 'chain of thought', 'think carefully', 'consider all'],
      ...['pros and cons', 'compare and contrast', 'weigh the options'],
    ],
  },
  technical: {
    steps: [
      [2, 0.5],
      [4, 1],
    ],
    words:
      'architecture distributed scalable microservice encryption authentication authorization performance latency throughput benchmark concurrency parallel threading memory cpu gpu optimization protocol tcp http grpc websocket container orchestration'.split(
        ' ',
      ),
    phrases: ['machine learning', 'neural network', 'deep learning'],
  },
  simple: {
    steps: [[1, -1]],
    words: [
      "what's",
      'define',
      ...'simple brief short quick hello hi hey thanks goodbye bye okay'.split(' '),
    ],
    phrases: [
      ...['what is', 'definition of', 'who is', 'who was', 'when did', 'when was', 'where is', 'where was'],
      ...['how many', 'how much', 'yes or no', 'true or false', 'thank you'],
    ],
  },
} as const;

interface WordRule {
  readonly steps: readonly (readonly [number, number])[];
  readonly patterns: readonly RegExp[];
  readonly phrases: readonly string[];
}

function compiled({
  steps,
  words,
  phrases,
}: (typeof complexityRule)['code' | 'reasoning' | 'technical' | 'simple']): WordRule {
  return { steps, phrases, patterns: words.map((word) => new RegExp(String.raw`\b${word}\b`)) };
}

const code = compiled(complexityRule.code);
const reasoning = compiled(complexityRule.reasoning);
const technical = compiled(complexityRule.technical);
const simple = compiled(complexityRule.simple);
const stepPatterns = [/first.*?then/i, /step\s*\d/i, /\d+\.\s/, /[a-z]\)\s/i];

/** What LiteLLM's complexity router says of a query. */
export function litellmComplexity(query: string): RuleScore {
  const { weights, bounds, shortTokens, longTokens, manyQuestions } = complexityRule;
  const folded = query.toLowerCase();
  const tokens = Math.floor(query.length / 4);
  const marks = found(reasoning, folded);
  const score =
    weights.tokens * (tokens < shortTokens ? -1 : tokens > longTokens ? 1 : 0) +
    weights.code * value(code, found(code, folded)) +
    weights.reasoning * value(reasoning, marks) +
    weights.technical * value(technical, found(technical, folded)) +
    weights.simple * value(simple, found(simple, folded)) +
    weights.steps * (stepPatterns.some((pattern) => pattern.test(folded)) ? 0.5 : 0) +
    weights.questions * (query.split('?').length - 1 > manyQuestions ? 0.5 : 0);
  const tier = marks >= 2 ? bounds.length : bounds.filter((bound) => score >= bound).length;
  return { score, tier };
}

/** How many of its words and phrases stand in a text: words as whole words, phrases anywhere. */
function found({ patterns, phrases }: WordRule, folded: string): number {
  return (
    patterns.filter((pattern) => pattern.test(folded)).length +
    phrases.filter((phrase) => folded.includes(phrase)).length
  );
}

function value({ steps }: WordRule, count: number): number {
  return steps.findLast(([from]) => count >= from)?.[1] ?? 0;
}

const lookup = /^\W*(?:what|who)\b/i;
const task = /\b(?:write|explain)\b/i;

/**
 * The rule of thumb of many tutorials: a query that begins with "what" or "who" asks for little, one that holds "write" or
 * "explain" for much.
 */
export function verbScore(query: string): number {
  return Number(task.test(query)) - Number(lookup.test(query));
}
