import { modelId, type PicoUsd, usdDecimal, usdNumber } from '@synapsekit/core';
import type { PicoRates, ProviderName, ServedModel } from './model.ts';

/** Tokens as they are billed. `inputTokens` includes the cached ones, `outputTokens` the reasoning ones. */
export interface BilledTokens {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
}

/** One line of the bill: what one request cost. */
export interface BillEntry extends BilledTokens {
  /** The `x-request-id` of the answer. */
  readonly requestId: string;
  /** The header `x-synapsekit-attempt` of the request, if it had one. */
  readonly attemptId: string | undefined;
  readonly provider: ProviderName;
  /** The model that was asked for. */
  readonly model: string;
  readonly serviceTier: string;
  /** Exact, in pico-dollars (1e-12 USD). */
  readonly amountPico: PicoUsd;
  /** `"complete"`: the answer went out in full. `"cut"`: the client left or a fault broke it off. */
  readonly reason: 'complete' | 'cut';
  /** The same with the amount in dollars, for display and exactly (`amountUsdExact`), as JSON can carry it. */
  toJSON(): object;
}

/** Totals of one model. */
export interface BillTotals extends BilledTokens {
  readonly requests: number;
  readonly amountPico: PicoUsd;
}

/** What the provider charges: exact, and kept apart from anything that the code under test counts. */
export interface Bill {
  /** Every billed request, oldest first; the newest ones where `maxRecords` ran over. */
  readonly entries: readonly BillEntry[];
  /** The sum of all, in pico-dollars, also of entries that are no longer kept. */
  readonly totalPico: PicoUsd;
  /** The same in dollars, for display. */
  readonly totalUsd: number;
  /** The same in dollars, exact, as a decimal string: `"0.0000023"`. */
  readonly totalUsdExact: string;
  /** Totals by model, under its name for people: `"gpt-4o"`, `"groq/llama-3.1-8b-instant"`. */
  readonly byModel: Readonly<Record<string, BillTotals>>;
  /** A copy that `JSON.stringify` can write: amounts in dollars, for display and exactly. */
  toJSON(): unknown;
}

/** The server's side of the bill: the one place where money is added up. */
export class BillBook implements Bill {
  readonly #maxEntries: number;
  readonly #byModel: Map<string, BillTotals> = new Map();
  #entries: BillEntry[] = [];
  #totalPico: PicoUsd = 0n;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  get entries(): readonly BillEntry[] {
    return this.#entries;
  }

  get totalPico(): PicoUsd {
    return this.#totalPico;
  }

  get totalUsd(): number {
    return usdNumber(this.#totalPico);
  }

  get totalUsdExact(): string {
    return usdDecimal(this.#totalPico);
  }

  get byModel(): Readonly<Record<string, BillTotals>> {
    return Object.fromEntries(this.#byModel);
  }

  post(model: ServedModel, tokens: BilledTokens, facts: PostFacts): BillEntry {
    const { provider, id } = model;
    const amountPico = costPico(model.tiers.get(facts.serviceTier) ?? model.rates, tokens);
    const line = { ...facts, provider, model: id, ...tokens, amountPico };
    const entry: BillEntry = Object.freeze({ ...line, toJSON: () => inUsd(line) });
    this.#entries.push(entry);
    if (this.#entries.length > this.#maxEntries) this.#entries.shift();
    this.#totalPico += amountPico;
    const name = modelId(provider, id);
    const before = this.#byModel.get(name);
    this.#byModel.set(name, {
      requests: (before?.requests ?? 0) + 1,
      inputTokens: (before?.inputTokens ?? 0) + tokens.inputTokens,
      cachedInputTokens: (before?.cachedInputTokens ?? 0) + tokens.cachedInputTokens,
      outputTokens: (before?.outputTokens ?? 0) + tokens.outputTokens,
      reasoningTokens: (before?.reasoningTokens ?? 0) + tokens.reasoningTokens,
      amountPico: (before?.amountPico ?? 0n) + amountPico,
    });
    return entry;
  }

  clear(): void {
    this.#entries = [];
    this.#byModel.clear();
    this.#totalPico = 0n;
  }

  toJSON(): unknown {
    return {
      totalUsd: this.totalUsd,
      totalUsdExact: this.totalUsdExact,
      byModel: Object.fromEntries([...this.#byModel].map(([name, totals]) => [name, inUsd(totals)])),
      entries: this.#entries.map((entry) => entry.toJSON()),
    };
  }
}

/** What a bill entry says beside the model and its tokens. */
export type PostFacts = Pick<BillEntry, 'requestId' | 'attemptId' | 'serviceTier' | 'reason'>;

function inUsd<T extends { readonly amountPico: PicoUsd }>({ amountPico, ...rest }: T): object {
  return { ...rest, amountUsd: usdNumber(amountPico), amountUsdExact: usdDecimal(amountPico) };
}

function costPico(rates: PicoRates, tokens: BilledTokens): PicoUsd {
  const cached = BigInt(tokens.cachedInputTokens);
  const fresh = BigInt(tokens.inputTokens) - cached;
  return (
    fresh * rates.inputPico + cached * rates.cachedInputPico + BigInt(tokens.outputTokens) * rates.outputPico
  );
}
