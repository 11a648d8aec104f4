import type { LedgerStore } from '@synapsekit/core';
import type { SimulatedProvider } from '@synapsekit/testing';
import type { Claims } from './claims.ts';
import type { Endpoints } from './models.ts';
import type { Terminal } from './terminal.ts';

/** What a chapter plays on. */
export interface Stage {
  readonly terminal: Terminal;
  readonly claims: Claims;
  /** Aborts when the user has had enough. */
  readonly signal: AbortSignal;
}

/** A stage with a provider of its own: what was asked of it and what it charges can be looked up. */
export interface SimulatedStage extends Stage {
  readonly provider: SimulatedProvider;
  /** The store that other demos may share; `undefined`: the memory of this process. */
  readonly ledger: LedgerStore | undefined;
}

/** Where the simulated providers are. */
export function endpointsOf(provider: SimulatedProvider): Endpoints {
  return {
    openai: { baseURL: provider.openaiBaseURL, apiKey: provider.env.OPENAI_API_KEY },
    groq: { baseURL: provider.groqBaseURL, apiKey: provider.env.GROQ_API_KEY },
  };
}
