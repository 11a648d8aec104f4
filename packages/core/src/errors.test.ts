import { describe, expect, test } from 'vitest';
import { BudgetExceededError, ConfigError, isSynapseError, ProviderError, SynapseError } from './errors.ts';

describe('isSynapseError', () => {
  test('knows the family and the code', () => {
    const error = new ConfigError('maxTokens must be whole.', { option: 'maxTokens' });
    expect(isSynapseError(error)).toBe(true);
    expect(isSynapseError(error, 'config')).toBe(true);
    expect(isSynapseError(error, 'provider')).toBe(false);
    expect(error).toBeInstanceOf(SynapseError);
    expect(error).toBeInstanceOf(Error);
  });

  test('knows errors of another installed copy', async () => {
    const copy = (await import(
      `${new URL('./errors.ts', import.meta.url).href}?copy`
    )) as typeof import('./errors.ts');
    const foreign = new copy.ConfigError('elsewhere');
    expect(foreign).not.toBeInstanceOf(ConfigError);
    expect(isSynapseError(foreign, 'config')).toBe(true);
  });

  test.each([undefined, null, 'config', 1, {}, new Error('x'), { code: 'config' }])(
    'says no to %s',
    (value) => {
      expect(isSynapseError(value)).toBe(false);
    },
  );

  test('survives a hostile Proxy', () => {
    const hostile = new Proxy(
      {},
      {
        has() {
          throw new Error('no');
        },
      },
    );
    expect(isSynapseError(hostile)).toBe(false);
  });
});

test('errors carry their facts as fields and survive JSON', () => {
  const error = new ProviderError('Groq is overloaded.', {
    kind: 'server',
    provider: 'groq',
    model: 'm',
    status: 503,
  });
  expect(JSON.parse(JSON.stringify(error))).toMatchObject({ code: 'provider', kind: 'server', status: 503 });
  const refusal = new BudgetExceededError('Over.', {
    guard: 'app',
    limit: 'daily',
    limitUsd: '1',
    committedUsd: '0.9',
    heldUsd: '0.1',
    neededUsd: '0.2',
    fits: 'in-flight',
  });
  expect(refusal.name).toBe('BudgetExceededError');
  expect(refusal.code).toBe('budget-exceeded');
});
