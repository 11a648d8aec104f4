import { describe, expect, test } from 'vitest';
import { booking, onSlices, reservation } from '../test/on-slices.ts';

describe('a hold whose lease ended', () => {
  async function forgotten() {
    const { clock, shared, open, figures } = onSlices();
    const ledger = open();
    await ledger.reserve(reservation('h', 10n));
    return { clock, shared, ledger, figures };
  }

  test('does not keep the rest of its slice', async () => {
    const { clock, ledger, figures } = await forgotten();
    await clock.advance(59_000);
    expect(await figures()).toBe('0+500');
    await clock.advance(11_000);
    expect(await figures()).toBe('10+0');
    expect(clock.pending).toBe(0);
    await ledger.dispose();
    expect(await figures()).toBe('10+0');
  });

  test.each([
    [4n, '4+0'],
    [10n, '10+0'],
    [25n, '25+0'],
  ])('frees what it booked and did not need once its owner settles (%i)', async (cost, settled) => {
    const { clock, ledger, figures } = await forgotten();
    await clock.advance(80_000);
    await ledger.post(booking('a', 'h', cost));
    await clock.advance(4_000);
    expect(await figures()).toBe(settled);
    expect(clock.pending).toBe(0);
    await ledger.dispose();
    expect(await figures()).toBe(settled);
  });

  test('counts once with what its owner posts late, a bit at a time', async () => {
    const { clock, ledger, figures } = await forgotten();
    await clock.advance(80_000);
    for (const [index, sum] of ['10+0', '10+0', '11+0', '15+0'].entries()) {
      await ledger.post({ ...booking(`a${index}`, 'h', [3n, 4n, 4n, 4n][index] ?? 0n), close: false });
      await clock.advance(4_000);
      expect(await figures()).toBe(sum);
    }
    await ledger.close('h');
    await ledger.dispose();
    expect(await figures()).toBe('15+0');
  });

  test('is settled exactly when its slice is in use still, or its ledger disposed of', async () => {
    const { clock, ledger, figures } = await forgotten();
    const { ledger: disposed, figures: figuresOfDisposed, clock: other } = await forgotten();
    await disposed.dispose();
    await other.advance(60_000);
    await disposed.post(booking('a', 'h', 3n));
    await other.advance(1);
    expect(await figuresOfDisposed()).toBe('3+0');

    await clock.advance(56_000);
    await ledger.reserve(reservation('live', 10n));
    await ledger.reserve(reservation('h2', 10n));
    await clock.advance(4_000);
    expect(await ledger.renew('h', 1)).toBe(false);
    await ledger.post(booking('a', 'h', 4n));
    await clock.advance(2_000);
    expect(await figures()).toMatch(/^4\+/);
    for (const id of ['live', 'h2']) await ledger.close(id);
    await ledger.dispose();
    expect(await figures()).toBe('4+0');
  });

  test('is told the shared ledger also when the first attempt fails', async () => {
    const { clock, shared, open, figures } = onSlices();
    let isAway = false;
    const ledger = open(
      new Proxy(shared, {
        get(target, name) {
          const value = Reflect.get(target, name, target);
          if (typeof value !== 'function') return value;
          return (...args: unknown[]) => {
            if (isAway) throw new Error('away');
            return value.apply(target, args);
          };
        },
      }),
    );
    await ledger.reserve(reservation('h', 10n));
    await clock.advance(80_000);
    isAway = true;
    await ledger.post(booking('a', 'h', 17n));
    await clock.advance(10_000);
    expect(await figures()).toBe('10+0');
    isAway = false;
    await clock.advance(4_000);
    expect(await figures()).toBe('17+0');
    expect(clock.pending).toBe(0);
  });
});
