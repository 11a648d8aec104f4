import { expect, test } from 'vitest';
import { inOrder } from './in-order.ts';
import { parseQueryLines, readQueryFile } from './query-file.ts';
import { UsageError } from './usage-error.ts';

test('lines keep their numbers, and say what is wrong with them', () => {
  const text =
    '\ufeff"What is 2 + 2?"\r\n\r\n{ "query": "Why?", "id": 7 }\nnot json\n42\n{ "query": " " }\nnull\n';
  expect(parseQueryLines(text)).toEqual([
    { line: 1, query: 'What is 2 + 2?' },
    { line: 3, query: 'Why?' },
    { line: 4, problem: 'not JSON' },
    { line: 5, problem: 'neither a text nor an object with a "query"' },
    { line: 6, problem: 'the query is empty' },
    { line: 7, problem: 'neither a text nor an object with a "query"' },
  ]);
});

test('a file that is not there or empty cannot be asked', async () => {
  await expect(readQueryFile('no/such/file.jsonl')).rejects.toThrow(/there is no such file/);
  await expect(readQueryFile('no/such/file.jsonl')).rejects.toBeInstanceOf(UsageError);
});

test('results come in order, however long each takes, and never more than so many run', async () => {
  let running = 0;
  let most = 0;
  const taken: number[] = [];
  await inOrder(
    Array.from({ length: 50 }, (_, index) => index),
    4,
    async (index) => {
      most = Math.max(most, ++running);
      for (let turns = (index * 7) % 11; turns > 0; turns--) await Promise.resolve();
      running--;
      return index;
    },
    (index) => taken.push(index),
  );
  expect(taken).toEqual(Array.from({ length: 50 }, (_, index) => index));
  expect(most).toBe(4);
});
