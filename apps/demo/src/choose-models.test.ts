import type { Price, PriceLookup } from '@synapsekit/core';
import { describe, expect, test } from 'vitest';
import { castRoles, nameOf, type ServedModels } from './choose-models.ts';

const now = Date.parse('2026-11-23');

/** Prices for every model but some, and one retirement. */
const prices: PriceLookup = {
  find({ model }) {
    if (model === 'gpt-6.1-sol') return undefined;
    const price: Price = { provider: '', model, source: 'test', costPico: () => 1n, maxCostPico: () => 1n };
    if (model !== 'llama-3.1-8b-instant') return price;
    return { ...price, retirement: { on: '2026-08-16', replacement: 'openai/gpt-oss-20b', past: true } };
  },
};

const all = {
  openai: [{ id: 'gpt-4o', shutdownDate: '2027-01-14' }, { id: 'gpt-4o-mini' }],
  groq: [{ id: 'llama-3.1-8b-instant' }, { id: 'llama-3.3-70b-versatile' }],
} satisfies ServedModels;

function cast(served: ServedModels): { readonly roles: Record<string, string>; readonly reasons: string[] } {
  const { castings } = castRoles(served, prices, now);
  return {
    roles: Object.fromEntries(castings.map(({ role, chosen }) => [role, nameOf(chosen)])),
    reasons: castings.flatMap(({ reasons }) => reasons),
  };
}

describe('the cast', () => {
  test("is the tutorial's own while its models are served, whatever the price book says of their end", () => {
    expect(cast(all)).toEqual({
      roles: {
        cheap: 'groq/llama-3.1-8b-instant',
        medium: 'groq/llama-3.3-70b-versatile',
        strong: 'gpt-4o',
        spare: 'gpt-4o-mini',
      },
      reasons: [],
    });
  });

  test('takes the replacement of a model that is no longer served, and says why', () => {
    const groq = [{ id: 'openai/gpt-oss-20b' }, { id: 'openai/gpt-oss-120b' }];
    const { roles, reasons } = cast({ ...all, groq });
    expect(roles).toMatchObject({ cheap: 'groq/openai/gpt-oss-20b', medium: 'groq/openai/gpt-oss-120b' });
    expect(reasons).toEqual([
      'llama-3.1-8b-instant is not served (retired on 2026-08-16)',
      'llama-3.3-70b-versatile is not served',
    ]);
  });

  test('passes over models that are shut down or have no price', () => {
    const openai = [
      { id: 'gpt-4o', shutdownDate: '2026-11-22' },
      { id: 'gpt-4o-mini', shutdownDate: '2026-11-23' },
      { id: 'gpt-6.1-sol' },
      { id: 'gpt-5.6-sol' },
    ];
    const { roles, reasons } = cast({ ...all, openai });
    expect(roles).toMatchObject({ strong: 'gpt-5.6-sol', spare: 'gpt-4o-mini' }); // on its last day it still serves
    expect(reasons).toEqual(['gpt-4o was shut down on 2026-11-22', 'gpt-6.1-sol has no known price']);
  });

  test('makes do with one provider', () => {
    expect(cast({ openai: all.openai }).roles).toEqual({
      cheap: 'gpt-4o-mini',
      medium: 'gpt-4o-mini',
      strong: 'gpt-4o',
      spare: 'gpt-4o-mini',
    });
    expect(cast({ groq: all.groq }).roles).toMatchObject({
      strong: 'groq/llama-3.3-70b-versatile',
      spare: 'groq/llama-3.1-8b-instant',
    });
  });

  test('names the roles that nobody can play', () => {
    const { missing } = castRoles({ openai: [{ id: 'tts-1' }] }, prices, now);
    expect(missing).toEqual(['cheap', 'medium', 'strong', 'spare']);
  });
});
