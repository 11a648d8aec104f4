import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countPieces, limitPieces, type Piece } from './piece.ts';
import { loadTokenizer } from './tokenizer.ts';

const tokenizer = await loadTokenizer();

/** The same, piece by piece. */
function oneByOne(pieces: readonly Piece[], maxTokens: number): readonly Piece[] {
  const kept = pieces.slice(0, maxTokens);
  while (kept.length > 0 && countPieces(kept, tokenizer).outputTokens > maxTokens) kept.pop();
  return kept;
}

describe('limitPieces', () => {
  const words = fc.constantFrom(
    'the quick fox ',
    '🀄🀅',
    '漢字',
    'ไทย',
    'naïve ',
    '1234567',
    '{"a": ',
    '\n\n',
    '…',
    'Ğ',
  );
  const text = fc.array(words, { maxLength: 40 }).map((parts) => parts.join(''));

  test('keeps what taking away one piece after the other would keep', () => {
    fc.assert(
      fc.property(text, text, fc.integer({ min: 1, max: 120 }), (thought, said, maxTokens) => {
        const pieces: Piece[] = [
          ...tokenizer.pieces(thought).map((piece): Piece => ({ kind: 'reasoning', text: piece })),
          ...tokenizer.pieces(said).map((piece): Piece => ({ kind: 'text', text: piece })),
          { kind: 'tool', index: 0, text: '', opens: { id: 'call-1', name: 'get_the_weather' } },
          ...tokenizer.pieces(said).map((piece): Piece => ({ kind: 'tool', index: 0, text: piece })),
        ];
        const kept = limitPieces(pieces, maxTokens, tokenizer);
        expect(kept).toEqual(oneByOne(pieces, maxTokens));
        expect(countPieces(kept, tokenizer).outputTokens).toBeLessThanOrEqual(maxTokens);
      }),
      { numRuns: 200 },
    );
  });

  test('counts a few times, however many pieces have to go', () => {
    const pieces = tokenizer
      .pieces('🀄🀅🀆🀇'.repeat(500))
      .map((piece): Piece => ({ kind: 'text', text: piece }));
    let counted = 0;
    const counting = {
      ...tokenizer,
      count(part: string): number {
        if (part.length > 100) counted++;
        return tokenizer.count(part);
      },
    };
    expect(limitPieces(pieces, 1_000, counting).length).toBeLessThan(500);
    expect(counted).toBeLessThan(5);
  });
});
