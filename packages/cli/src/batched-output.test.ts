import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { BatchedOutput } from './batched-output.ts';

function batched(): { output: BatchedOutput; writes: string[] } {
  const writes: string[] = [];
  return { output: new BatchedOutput({ write: (text) => writes.push(text) }), writes };
}

test('what comes in one turn of the event loop is one write, and nothing waits longer', async () => {
  const { output, writes } = batched();
  for (let n = 0; n < 1_000; n++) output.write(`${n}\n`);
  expect(writes).toEqual([]);
  await nextTurn();
  expect(writes).toHaveLength(1);
  expect(writes[0]?.split('\n')).toHaveLength(1_001);
  output.write('more\n');
  output.flush();
  await nextTurn();
  expect(writes.slice(1)).toEqual(['more\n']);
});

test('much of it does not wait', () => {
  const { output, writes } = batched();
  output.write('x'.repeat(20_000));
  expect(writes).toHaveLength(1);
});

test('what somebody else left in the middle of a line does not run into it', () => {
  const { output, writes } = batched();
  output.others('.');
  output.write('a ✓\n');
  output.write('b ✓\n');
  output.others('\n');
  output.write('c ✓\n');
  output.flush();
  expect(writes.join('')).toBe('\na ✓\nb ✓\nc ✓\n');
});
