import { describe, expect, test } from 'vitest';
import { arithmeticAnswer } from './arithmetic.ts';
import { classification } from './classify.ts';
import { complexityOf } from './complexity.ts';
import { topicWords } from './compose.ts';
import { plainAnswer } from './plain-answer.ts';

test.for([
  ['simple', 'What is 2 + 2?'],
  ['simple', 'What is the capital of France?'],
  ['simple', 'What year was Python first released?'],
  ['simple', 'What does HTTP stand for?'],
  ['simple', 'Who wrote Romeo and Juliet?'],
  ['medium', 'Explain the difference between REST and GraphQL.'],
  ['medium', 'Explain the difference between TCP and UDP'],
  ['medium', 'Summarise the CAP theorem with examples.'],
  ['medium', 'What are the trade-offs between microservices and monolithic architecture?'],
  ['medium', 'Write a short note to my landlord.'],
  ['complex', 'Write a Python function to find all prime numbers up to N.'],
  ['complex', 'Explain the time and space complexity of merge sort with a worked example.'],
  ['complex', 'Explain transformer self-attention with a code example in Python.'],
  ['complex', 'Write a B-tree implementation'],
  ['complex', 'Analyze the causes of the First World War.'],
  ['complex', `Consider ${'this '.repeat(70)}`],
] as const)('%s: %s', ([expected, question]) => {
  expect(complexityOf(question)).toBe(expected);
});

describe('a classifier prompt', () => {
  const rules = `Classify the complexity of the following query as simple, medium, or complex.
simple = factual lookup (e.g. "What year was Python created?")
complex = code generation (e.g. "Write a B-tree implementation")
Reply with exactly one word: simple, medium, or complex.`;
  const label = (userText: string, systemText = ''): string | undefined =>
    classification({ userText, systemText } as never);

  test('is recognised wherever the query stands', () => {
    const query = 'Summarise the CAP theorem with examples.';
    expect(label(`${rules}\nQuery: ${query}`)).toBe('medium');
    expect(label(`${rules}\n<query>${query}</query>\nAnswer:`)).toBe('medium');
    expect(label(`${rules}\n\n${query}`)).toBe('medium');
    expect(label(query, rules)).toBe('medium');
    expect(label(`Query: ${query}`, rules)).toBe('medium');
    expect(label(`${rules}\nQuery:\n${query}\n\nAnswer with one word:`)).toBe('medium');
    expect(label(`${rules}\n"""\n${query}\n"""\nLabel:`)).toBe('medium');
    expect(label('Query: Why does this fail?\n```ts\nlet a;\n```', rules)).toBe('complex');
    expect(label(`${rules}\nQuery: Write a parser in Rust\nAnswer: complex\n\nQuery: What is 2 + 2?`)).toBe(
      'simple',
    );
  });

  test('is not confused with a question that mentions a label', () => {
    expect(label('Is this a simple question?')).toBeUndefined();
    expect(label('Explain the time and space complexity of merge sort.')).toBeUndefined();
  });
});

test('arithmetic is worked out', () => {
  expect(arithmeticAnswer('What is 2 + 2?')).toBe('2 + 2 = 4.');
  expect(arithmeticAnswer('calculate 2*(3+4) - -1')).toContain('= 15.');
  expect(arithmeticAnswer('What is 1,200 divided by 8?')).toContain('= 150.');
  expect(arithmeticAnswer("What's 0.1 + 0.2?")).toBe('0.1 + 0.2 = 0.3.');
  expect(arithmeticAnswer('What is 0 / 0?')).toBe('That is undefined: it divides by zero.');
  for (const other of [
    'What is 2?',
    'What is (2 + 2?',
    'What is 2 + + 2 apples?',
    '2 2 +',
    '1..2 + 3',
    'What is love?',
  ]) {
    expect(arithmeticAnswer(other)).toBeUndefined();
  }
});

test("the tutorial's questions have real answers", () => {
  const answers = (question: string, ...words: string[]): void => {
    for (const word of words) expect(plainAnswer(question)).toContain(word);
  };
  answers('What is the capital of France?', 'Paris');
  answers('What does HTTP stand for?', 'Hypertext Transfer Protocol');
  answers('Who wrote Romeo and Juliet?', 'Shakespeare');
  answers('What year was Python first released?', '1991');
  answers('Explain the difference between REST and GraphQL.', 'REST', 'GraphQL', 'endpoint');
  answers('Summarise the CAP theorem with examples.', 'Consistency', 'Availability', 'Partition');
  answers('Write a Python function to find all prime numbers up to N.', 'def primes_up_to', '```python');
  answers(
    'Explain the time and space complexity of merge sort with a worked example.',
    'merge',
    'O(n log n)',
  );
  answers(
    'Explain transformer self-attention with a code example in Python.',
    'softmax',
    'def self_attention',
  );
  answers('What are the trade-offs between microservices and monolithic architecture?', 'monolith');
});

test('any other question gets an answer about its words, longer for a harder one', () => {
  const simple = plainAnswer('Which rivers cross Vienna?');
  const medium = plainAnswer('Explain how rivers cross Vienna.');
  const complex = plainAnswer('Write a program in Rust that simulates rivers crossing Vienna.');
  for (const answer of [simple, medium, complex]) expect(answer).toContain('rivers');
  expect([simple.length < 200, medium.length > 400, complex.length > 1_000]).toEqual([true, true, true]);
  expect(complex).toContain('```python');
  expect(plainAnswer('Which rivers cross Vienna?')).toBe(simple);
  expect(plainAnswer('??')).toContain('a little more');
  expect(topicWords('Où est la bibliothèque? 図書館')).toEqual(['où', 'est', 'la', 'bibliothèque', '図書館']);
});
