export { ManualClock, type ManualClockOptions } from './manual-clock.ts';
export type { Bill, BillEntry, BilledTokens, BillTotals } from './provider/bill.ts';
export type { SimulatedChat } from './provider/chat.ts';
export type { ExchangePoint, Fault, FaultCut, FaultResponse, OmittedPart } from './provider/fault.ts';
export type { FaultHandle, FaultTarget } from './provider/fault-plan.ts';
export { type ErrorAnswerOptions, faults } from './provider/faults.ts';
export {
  type ProviderName,
  providerNames,
  type SimulatedModel,
  type SimulatedRates,
} from './provider/model.ts';
export { defaultModels } from './provider/model-catalog.ts';
export type { Delay, SimulatedProviderOptions } from './provider/options.ts';
export type { KnownError, WireError } from './provider/provider-error.ts';
export type { AnswerFunction, ScriptedAnswer, ScriptedToolCall } from './provider/scripted-answer.ts';
export { type RefusedConnections, SimulatedProvider } from './provider/simulated-provider.ts';
export type { ExchangeOutcome, SimulatedRequest } from './provider/simulated-request.ts';
export type { WireBody, WireMessage, WirePart, WireTool, WireToolCall } from './provider/wire.ts';
export { seededRandom } from './seeded-random.ts';
export { sequentialIds } from './sequential-ids.ts';
