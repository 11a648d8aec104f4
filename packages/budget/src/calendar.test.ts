import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { WindowLimitName } from './budget-limit.ts';
import { Calendar } from './calendar.ts';

const hourMs = 3_600_000;
const stepMs = hourMs / 4;
const at = (iso: string): number => Date.parse(iso);

/** The window and its two ends, found by walking: slow and plain. */
function hoursIn(calendar: Calendar, limit: WindowLimitName, iso: string): number {
  const window = calendar.window(limit, at(iso));
  const end = window.ledger.endsAtMs ?? Number.POSITIVE_INFINITY;
  let start = at(iso);
  while (calendar.window(limit, start - stepMs).ledger.id === window.ledger.id) start -= stepMs;
  return (end - start) / hourMs;
}

test('names hours, days, ISO weeks and months, with the zone in the id and no zone in the name', () => {
  const calendar = new Calendar('UTC');
  const now = at('2026-11-23T14:35:10.123Z');
  const names = (['hourly', 'daily', 'weekly', 'monthly', 'total'] as const).map((limit) => {
    const { name, ledger } = calendar.window(limit, now);
    return [
      name,
      ledger.id,
      ledger.endsAtMs === undefined ? undefined : new Date(ledger.endsAtMs).toISOString(),
    ];
  });
  expect(names).toEqual([
    ['2026-11-23T14', '2026-11-23T14@UTC', '2026-11-23T15:00:00.000Z'],
    ['2026-11-23', '2026-11-23@UTC', '2026-11-24T00:00:00.000Z'],
    ['2026-W48', '2026-W48@UTC', '2026-11-30T00:00:00.000Z'],
    ['2026-11', '2026-11@UTC', '2026-12-01T00:00:00.000Z'],
    [undefined, 'total', undefined],
  ]);
});

test.each([
  ['2027-01-01T12:00:00Z', '2026-W53'],
  ['2027-01-04T00:00:00Z', '2027-W01'],
  ['2024-12-30T00:00:00Z', '2025-W01'],
  ['2023-01-01T23:59:59Z', '2022-W52'],
])('%s lies in week %s', (iso, week) => {
  expect(new Calendar('UTC').window('weekly', at(iso)).name).toBe(week);
});

test.each([
  ['America/New_York', '2026-03-08T12:00:00Z', 23],
  ['America/New_York', '2026-11-01T12:00:00Z', 25],
  ['Europe/Berlin', '2026-03-29T12:00:00Z', 23],
  ['Europe/Berlin', '2026-10-25T12:00:00Z', 25],
  ['Australia/Lord_Howe', '2026-04-04T20:00:00Z', 24.5],
  ['America/Sao_Paulo', '2018-11-04T12:00:00Z', 23], // its midnight did not exist
  ['Pacific/Apia', '2011-12-29T20:00:00Z', 24], // the next day was skipped
  ['Asia/Kathmandu', '2026-05-05T00:00:00Z', 24],
])('the day of %s at %s has %d hours', (zone, iso, hours) => {
  expect(hoursIn(new Calendar(zone), 'daily', iso)).toBe(hours);
});

test('the hour that comes twice in autumn is two windows', () => {
  const calendar = new Calendar('America/New_York');
  const first = calendar.window('hourly', at('2026-11-01T05:30:00Z'));
  const second = calendar.window('hourly', at('2026-11-01T06:30:00Z'));
  expect([first.name, second.name]).toEqual(['2026-11-01T01-04:00', '2026-11-01T01-05:00']);
  expect(first.ledger.endsAtMs).toBe(at('2026-11-01T06:00:00Z'));
});

test('a window is the same object for as long as it lasts, also after a look at another one', () => {
  const calendar = new Calendar('Europe/Berlin');
  const day = calendar.window('daily', at('2026-07-01T10:00:00Z'));
  expect(calendar.window('daily', at('2026-07-01T21:59:59.999Z'))).toBe(day);
  expect(calendar.window('daily', at('2026-07-01T22:00:00Z')).name).toBe('2026-07-02');
  expect(calendar.window('daily', at('2026-07-01T21:00:00Z'))).toEqual(day);
});

test('every instant lies in one window that ends after it, and the next window begins there', () => {
  const zones = ['UTC', 'America/New_York', 'Australia/Lord_Howe', 'America/St_Johns', 'Asia/Kolkata'];
  const limits = ['hourly', 'daily', 'weekly', 'monthly'] as const;
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.constantFrom(...limits),
      fc.integer({ min: at('2015-01-01T00:00:00Z'), max: at('2035-01-01T00:00:00Z') }),
      (zone, limit, ms) => {
        const window = new Calendar(zone).window(limit, ms).ledger;
        const end = window.endsAtMs ?? 0;
        expect(end).toBeGreaterThan(ms);
        expect(new Calendar(zone).window(limit, end - 1).ledger.id).toBe(window.id);
        expect(new Calendar(zone).window(limit, end).ledger.id).not.toBe(window.id);
      },
    ),
    { numRuns: 60 },
  );
});

test('a zone that does not exist is refused', () => {
  expect(() => new Calendar('Mars/Olympus')).toThrow(/IANA name.*"Mars\/Olympus"/);
});
