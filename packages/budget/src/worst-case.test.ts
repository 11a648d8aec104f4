import { BudgetExceededError, type LLM, wrap } from '@synapsekit/core';
import { describe, expect, test } from 'vitest';
import { chain } from '../test/chain.ts';
import { prices } from '../test/flat-prices.ts';
import { TestProvider } from '../test/test-model.ts';
import { BudgetGuard } from './budget-guard.ts';
import { enforceBudget } from './enforce-budget.ts';

const dime = 100; // tokens of test/dime that cost ten cents

describe('the worst case', () => {
  test('the config of the model bounds its answer, and is not overridden', async () => {
    const guard = new BudgetGuard({ total: 0.1 }, { prices });
    const provider = new TestProvider();
    const llm = wrap(
      provider.model('test', 'dime', () => 10, { maxTokens: 60 }),
      enforceBudget(guard),
    );
    expect(llm.quoteHold?.('Hi')).toEqual({ pico: 60_000_000_000n, tokens: 72 });
    await llm.generate('Hi');
    expect(provider.arrived[0]?.maxTokens).toBeUndefined();
    await expect(llm.generate('Hi', { maxTokens: 91 })).rejects.toMatchObject({ neededUsd: '0.091' });
  });

  test('no more than the model can say is asked for', async () => {
    const guard = new BudgetGuard({ total: 100 }, { prices, defaultMaxOutputTokens: 100_000 });
    const provider = new TestProvider();
    await wrap(
      provider.model('openai', 'gpt-4o', () => 1),
      enforceBudget(guard),
    ).generate('Hi');
    expect(provider.arrived[0]?.maxTokens).toBe(16_384);
  });

  test('a maxTokens beyond what the model can say holds no more than that', () => {
    const guard = new BudgetGuard({ total: 100 }, { prices });
    const llm = wrap(new TestProvider().model('openai', 'gpt-4o'), enforceBudget(guard));
    const quote = (maxTokens: number): bigint | undefined => llm.quoteHold?.('Hi', { maxTokens })?.pico;
    expect(quote(1_000_000)).toBe(quote(16_384));
  });

  test('a free model gets no maxTokens that it did not ask for', async () => {
    const guard = new BudgetGuard({ total: 0 }, { prices });
    const provider = new TestProvider();
    await wrap(
      provider.model('local', 'free', () => 1),
      enforceBudget(guard),
    ).generate('Hi');
    expect(provider.arrived[0]?.maxTokens).toBeUndefined();
  });

  test('the prompt is counted exactly only when its upper bound does not fit', async () => {
    const counted: string[] = [];
    const tokenCounter = ({ model }: { readonly model: string }) => {
      counted.push(model);
      return { countText: () => 0, countPrompt: () => 1_000 };
    };
    // gpt-4o: $2.50 a million; 4,000 bytes are $0.01 at most, 1,000 tokens are $0.0025.
    const guard = new BudgetGuard({ perRequest: 0.004 }, { prices, tokenCounter });
    const provider = new TestProvider();
    const llm = wrap(
      provider.model('openai', 'gpt-4o', () => 1),
      enforceBudget(guard),
    );
    await llm.generate('x'.repeat(400), { maxTokens: 100 });
    expect(counted).toEqual([]);
    await llm.generate('x'.repeat(4_000), { maxTokens: 100 });
    expect(counted).toEqual(['gpt-4o']);
    await expect(llm.generate('x'.repeat(4_000), { maxTokens: 500 })).rejects.toBeInstanceOf(
      BudgetExceededError,
    );
    expect(counted).toEqual(['gpt-4o']); // no prompt is short enough
    await expect(llm.generate('x'.repeat(4_000), { maxTokens: 200 })).rejects.toMatchObject({
      neededUsd: '0.0045',
    });
  });

  test('gpt-tokenizer counts the prompts of OpenAI models', async () => {
    const guard = new BudgetGuard({ perRequest: 0.002 }, { prices });
    const provider = new TestProvider();
    const prompt = 'The quick brown fox jumps over the lazy dog. '.repeat(50); // 2,250 bytes, about 500 tokens
    await wrap(
      provider.model('openai', 'gpt-4o', () => 1),
      enforceBudget(guard),
    ).generate(prompt, { maxTokens: 50 });
    const llama = wrap(
      provider.model('groq', 'llama-3.1-8b-instant', () => 1),
      enforceBudget(new BudgetGuard({ perRequest: 0.00005 }, { prices })),
    );
    await expect(llama.generate(prompt, { maxTokens: 50 })).rejects.toBeInstanceOf(BudgetExceededError);
  });

  test('around a chain the dearest candidate is held', async () => {
    const guard = new BudgetGuard({ total: 1 }, { prices });
    const provider = new TestProvider();
    const llm = wrap(
      chain(
        provider.model('groq', 'llama-3.1-8b-instant', () => 1),
        provider.model('test', 'dime', () => 1),
      ),
      enforceBudget(guard),
    );
    expect(llm.quoteHold?.('Hi', { maxTokens: dime })).toEqual({ pico: 100_000_000_000n, tokens: 112 });
    await expect(llm.generate('Hi', { maxTokens: 1_001 })).rejects.toBeInstanceOf(BudgetExceededError);
    await llm.generate('Hi', { maxTokens: 1_000 });
    expect(provider.arrived).toHaveLength(1);
  });

  test('after a refusal, failover goes to a model that needs less', async () => {
    const guard = new BudgetGuard({ total: 0.05 }, { prices });
    const provider = new TestProvider();
    const guarded = (name: string, model: string): LLM =>
      wrap(
        provider.model(name, model, () => 10),
        enforceBudget(guard),
      );
    const llm = chain(
      guarded('test', 'dime'),
      guarded('openai', 'gpt-4o'),
      guarded('groq', 'llama-3.1-8b-instant'),
    );
    const { servedBy, failures } = await llm.generate('Hi', { maxTokens: dime });
    expect(servedBy).toBe('gpt-4o');
    expect(failures).toMatchObject([{ id: 'test/dime', error: { code: 'budget-exceeded' } }]);
  });
});
