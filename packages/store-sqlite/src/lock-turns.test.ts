import { describe, expect, test } from 'vitest';
import { LockTurns } from './lock-turns.ts';

/** Transactions of a millisecond each, one after the other: how long the lock is left alone after each. */
function rests(turns: LockTurns, count: number, { operations = 16, fromMs = 0 } = {}): number[] {
  return Array.from({ length: count }, (_, i) => turns.restAfter(operations, fromMs + i, fromMs + i + 1));
}

describe('LockTurns', () => {
  test('a process that meets nobody never leaves the lock alone', () => {
    expect(rests(new LockTurns(() => 0.5), 100)).toEqual(Array(100).fill(0));
  });

  test('beside others it goes on for a turn of 8 ms, and then rests for a random time', () => {
    let random = 0;
    const turns = new LockTurns(() => random);
    turns.metOthers();
    expect(rests(turns, 8)).toEqual([0, 0, 0, 0, 0, 0, 0, 1]);
    random = 1;
    expect(rests(turns, 8, { fromMs: 20 })).toEqual([0, 0, 0, 0, 0, 0, 0, 3]);
  });

  test('a turn begins anew when another process had the lock in between', () => {
    const turns = new LockTurns(() => 0.5);
    turns.metOthers();
    rests(turns, 6);
    turns.metOthers();
    expect(rests(turns, 8, { fromMs: 6 })).toEqual([0, 0, 0, 0, 0, 0, 0, 2]);
  });

  test('after a few operations nobody has waited, so it does not rest', () => {
    const turns = new LockTurns(() => 0.5);
    turns.metOthers();
    expect(rests(turns, 20, { operations: 3 })).toEqual(Array(20).fill(0));
  });

  test('it forgets others that were not met for 64 transactions', () => {
    const turns = new LockTurns(() => 0.5);
    turns.metOthers();
    expect(rests(turns, 64).filter((ms) => ms > 0)).toHaveLength(8);
    expect(rests(turns, 100, { fromMs: 64 })).toEqual(Array(100).fill(0));
  });
});
