import { describe, expect, test } from 'vitest';
import { memoryIo } from '../test/memory-io.ts';
import { runCli } from './run-cli.ts';

const price = async (...argv: string[]): Promise<{ code: number; out: string; err: string }> => {
  const io = memoryIo();
  const code = await runCli(['price', ...argv], io);
  return { code, out: io.out(), err: io.err() };
};

describe('synapsekit price', () => {
  test('prints what a model costs, and what a call would', async () => {
    const { code, out } = await price('gpt-4o', '--input', '1200', '--output', '300');
    expect(out).toMatch(/^openai\/gpt-4o\n {2}input +\$2\.50 per million tokens\n {2}cached input +\$1\.25 /);
    expect(out).toMatch(/^ {2}this call +\$0\.006$/m);
    expect(code).toBe(0);
  });

  test('prints the prices of the tutorial exactly', async () => {
    const models = ['groq/llama-3.1-8b-instant', 'groq/llama-3.3-70b-versatile', 'gpt-4o-mini', 'gpt-4o'];
    const { code, out } = await price(...models, '--json');
    const { prices } = JSON.parse(out) as { prices: Record<string, unknown>[] };
    expect(prices.map((one) => [one.query, one.inputUsdPerMillion, one.outputUsdPerMillion])).toEqual([
      ['groq/llama-3.1-8b-instant', '0.05', '0.08'],
      ['groq/llama-3.3-70b-versatile', '0.59', '0.79'],
      ['gpt-4o-mini', '0.15', '0.6'],
      ['gpt-4o', '2.5', '10'],
    ]);
    expect(code).toBe(0);
  });

  test('takes provider, tier, day and cached tokens into account', async () => {
    const { out } = await price(
      'gpt-4o',
      '-p',
      'openai',
      '--tier',
      'batch',
      '--at',
      '2026-10-01',
      '--input',
      '1000',
      '--cached',
      '1000',
      '--json',
    );
    const { prices } = JSON.parse(out) as { prices: Record<string, unknown>[] };
    expect(prices[0]).toMatchObject({
      inputUsdPerMillion: '1.25',
      retirement: { on: '2027-01-14', past: false },
    });
    expect(Number(prices[0]?.callUsd)).toBeLessThan(0.00125);
  });

  test('says when prompts of a million tokens cost more', async () => {
    expect((await price('gemini-2.5-pro')).out).toMatch(/long prompts +\$2\.50 per million input tokens/);
  });

  test('tells what a request costs apart from its tokens', async () => {
    const { out } = await price('perplexity/sonar');
    expect(out).toContain('request       $0.012 each');
    expect(out).toContain('input         $1.00 per million tokens');
    expect(out).not.toContain('long prompts');
    const { out: json } = await price('perplexity/sonar', '--json');
    expect(JSON.parse(json).prices[0]).toMatchObject({ requestUsd: '0.012', inputUsdPerMillion: '1' });
  });

  test('exits with 1 when one is not known, and prints the others', async () => {
    const { code, out, err } = await price('gpt-4o', 'gpt-no-such');
    expect(out).toContain('openai/gpt-4o');
    expect(err).toContain('gpt-no-such: no price is known.');
    expect(code).toBe(1);
    const json = await price('gpt-no-such', '--json');
    expect(JSON.parse(json.out)).toEqual({ version: 1, prices: [{ query: 'gpt-no-such', found: false }] });
    expect(json.code).toBe(1);
  });
});
