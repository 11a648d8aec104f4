import { expect, test } from 'vitest';
import { RememberedIds } from './remembered-ids.ts';

test.each([1, 3, 150])('remembers at least %i ids, and at most twice as many', (count) => {
  const ids = new RememberedIds(count);
  const all = Array.from({ length: 5 * count + 1 }, (_, index) => `id-${index}`);
  for (const [index, id] of all.entries()) {
    expect(ids.has(id)).toBe(false);
    ids.add(id);
    const known = all.filter((each) => ids.has(each));
    expect(known).toEqual(all.slice(index + 1 - known.length, index + 1));
    expect(known.length).toBeGreaterThanOrEqual(Math.min(count, index + 1));
    expect(known.length).toBeLessThanOrEqual(2 * count);
  }
});
