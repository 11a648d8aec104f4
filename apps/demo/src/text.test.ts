import { describe, expect, test } from 'vitest';
import { clip, displayWidth, firstLine, pad, printable, wrapText } from './text.ts';

describe('text', () => {
  test.each([
    ['', 0],
    ['plain', 5],
    ['naïve — né', 10],
    ['日本語', 6],
    ['👩‍💻 ok', 5],
  ])('%j takes %i columns', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  test('a clipped text says that something is missing and fits', () => {
    expect(clip('exactly', 7)).toBe('exactly');
    expect(clip('a longer text', 8)).toBe('a longe…');
    expect(displayWidth(clip('日本語日本語', 8))).toBeLessThanOrEqual(8);
  });

  test('what an answer says cannot move the cursor or turn the reading order round', () => {
    expect(printable('\u001b[2Jgone\u0007 \u202eback\r\nnext\tcolumn')).toBe('[2Jgone back\nnext\tcolumn');
  });

  test('the first line is the first that says something', () => {
    expect(firstLine('\n\n  Yes,  indeed. \nMore.')).toBe('Yes, indeed.');
    expect(firstLine('')).toBe('');
  });

  test('wrapped lines fit, and lose no word', () => {
    const text = 'A budget is a ledger with holds; money is booked once.';
    const lines = wrapText(text, 20);
    expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(20);
    expect(lines.join(' ')).toBe(text);
  });

  test('padding counts columns, not characters', () => {
    expect(pad('日本', 6)).toBe('日本  ');
    expect(pad('1', 3, 'right')).toBe('  1');
  });
});
