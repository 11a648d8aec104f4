export type {
  GuardCheck,
  GuardLimits,
  GuardMaker,
  GuardSetup,
  GuardUnderTest,
  HoldUnderTest,
} from './guard-check.ts';
export { describeBudgetGuard, guardContract } from './guard-contract.ts';
export type { CreateLedgerBackend, LedgerBackend, LedgerCheck } from './ledger-check.ts';
export { behindBadNetwork, describeLedgerStore, ledgerContract } from './ledger-contract.ts';
export { ModelLedger } from './ledger-model.ts';
export type { CreateLLM, LLMCheck, LLMSetup } from './llm-check.ts';
export { describeLLM, llmContract } from './llm-contract.ts';
export { persistentLedger, type UnreliableLedgerOptions, unreliableLedger } from './unreliable-ledger.ts';
