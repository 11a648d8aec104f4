import { formatUsd, type Price, type PriceQuery, type TokenCounts, usdDecimal } from '@synapsekit/core';
import { PriceBook } from '@synapsekit/cost';
import { type CliIo, exitCodes } from './io.ts';

/** Which prices are wanted, and how. */
export interface PriceRequest {
  readonly models: readonly string[];
  readonly query: Omit<PriceQuery, 'model'>;
  /** A call whose cost is wanted too. */
  readonly usage: TokenCounts | undefined;
  readonly json: boolean;
}

/** Looks prices up and prints them. */
export function printPrices({ models, query, usage, json }: PriceRequest, io: CliIo): number {
  const book = new PriceBook();
  const found = models.map((model) => ({ model, price: book.find({ model, ...query }) }));
  if (json) {
    const prices = found.map(({ model, price }) => ({
      query: model,
      ...(price === undefined ? { found: false } : priceAsJson(price, usage)),
    }));
    io.stdout.write(`${JSON.stringify({ version: 1, prices }, undefined, 2)}\n`);
  } else {
    for (const { model, price } of found) {
      if (price !== undefined) io.stdout.write(formatPrice(price, usage));
      else
        io.stderr.write(`${model}: no price is known. Name who serves it: PROVIDER/MODEL, or --provider.\n`);
    }
  }
  return found.every(({ price }) => price !== undefined) ? exitCodes.ok : exitCodes.failed;
}

interface Rates {
  /** Whatever is in it. */
  readonly request: bigint;
  readonly input: bigint;
  readonly cached: bigint;
  readonly output: bigint;
  /** In prompts that are so long. */
  readonly longInput: bigint;
}

/** Pico-dollars a request, and per million tokens of each kind. */
function rates(price: Price): Rates {
  const request = price.costPico({ inputTokens: 0, outputTokens: 0 });
  const tokens = (usage: Partial<TokenCounts>): bigint =>
    price.costPico({ inputTokens: 0, outputTokens: 0, ...usage }) - request;
  return {
    request,
    // Long prompts may cost more a token, so a million is not asked for at once.
    input: tokens({ inputTokens: 1_000 }) * 1_000n,
    cached: tokens({ inputTokens: 1_000, cachedInputTokens: 1_000 }) * 1_000n,
    output: tokens({ outputTokens: 1_000 }) * 1_000n,
    longInput: tokens({ inputTokens: 1_000_000 }),
  };
}

function formatPrice(price: Price, usage: TokenCounts | undefined): string {
  const { provider, model, contextWindow, retirement, source } = price;
  const { request, input, cached, output, longInput } = rates(price);
  const rows: [string, string][] = [
    ...(request === 0n ? [] : ([['request', `${formatUsd(request)} each`]] as [string, string][])),
    ['input', `${formatUsd(input)} per million tokens`],
    ...(cached === input
      ? []
      : ([['cached input', `${formatUsd(cached)} per million tokens`]] as [string, string][])),
    ['output', `${formatUsd(output)} per million tokens`],
  ];
  if (longInput !== input) rows.push(['long prompts', `${formatUsd(longInput)} per million input tokens`]);
  if (contextWindow !== undefined) rows.push(['context', `${contextWindow.toLocaleString('en-US')} tokens`]);
  if (retirement !== undefined) {
    const then = retirement.replacement === undefined ? '' : `; use ${retirement.replacement}`;
    rows.push([retirement.past ? 'ended' : 'ends', `${retirement.on}${then}`]);
  }
  rows.push(['source', source]);
  if (usage !== undefined) rows.push(['this call', formatUsd(price.costPico(usage))]);
  return `${provider}/${model}\n${rows.map(([name, text]) => `  ${name.padEnd(12)}  ${text}\n`).join('')}`;
}

function priceAsJson(price: Price, usage: TokenCounts | undefined): object {
  const { provider, model, contextWindow, maxOutputTokens, retirement, source } = price;
  const { request, input, cached, output } = rates(price);
  return {
    found: true,
    provider,
    model,
    requestUsd: usdDecimal(request),
    inputUsdPerMillion: usdDecimal(input),
    cachedInputUsdPerMillion: usdDecimal(cached),
    outputUsdPerMillion: usdDecimal(output),
    contextWindow,
    maxOutputTokens,
    retirement,
    source,
    callUsd: usage === undefined ? undefined : usdDecimal(price.costPico(usage)),
  };
}
