export type { Attempt, AttemptIdentity } from './attempt.ts';
export { type AttemptLog, logAttempts } from './attempt-log.ts';
export {
  type AttemptEnd,
  type AttemptStart,
  type RunningAttempt,
  startAttempt,
  tellAttempt,
} from './attempt-recorder.ts';
export { callListener, warnOfListener } from './call-listener.ts';
export {
  type BreakerMessage,
  type BudgetMessage,
  breakerChannel,
  budgetChannel,
  channelNames,
  costChannel,
  type LLMMessage,
  type MessageChannel,
  type RouteMessage,
  type RouteMessageCandidate,
  routeChannel,
} from './channels.ts';
export { type Clock, systemClock } from './clock.ts';
export { defineLLM, type LLMDefinition } from './define-llm.ts';
export {
  type DefinedTool,
  defineTool,
  type ToolArguments,
  type ToolDefinition,
} from './define-tool.ts';
export type { DefinedAnswer } from './defined-answer.ts';
export {
  AllProvidersFailedError,
  BudgetExceededError,
  type BudgetRefusal,
  BulkheadFullError,
  CallTimeoutError,
  type CandidateRefusal,
  CircuitBreakerOpen,
  ConfigError,
  type ErrorByCode,
  type ErrorCode,
  isSynapseError,
  LedgerError,
  NoCandidateError,
  ProviderError,
  type ProviderErrorFacts,
  type ProviderErrorKind,
  type ProviderFailure,
  RateLimitedError,
  type RefusedTokens,
  StreamAbandonedError,
  SynapseError,
  type TimeoutPhase,
  ToolArgumentsError,
  type ToolArgumentsIssue,
  UnknownPriceError,
} from './errors.ts';
export { anyAvailable, type FailoverHooks, failoverGenerate, failoverStream } from './failover.ts';
export {
  type FailureRule,
  failureRule,
  failureRules,
  type HealthVerdict,
  isNetworkError,
} from './failure-rules.ts';
export type { FinishReason, Generation, RateLimitState, TokenLogprob } from './generation.ts';
export { isAbandonment } from './lazy-stream.ts';
export {
  type CalendarWindow,
  type CrossedMark,
  type InspectableLedger,
  type LedgerCounter,
  type LedgerHold,
  type LedgerKey,
  type LedgerQuery,
  type LedgerStatus,
  type LedgerStore,
  type LedgerWindow,
  largestLedgerAmount,
  type PostLine,
  type PostRequest,
  type ReserveLine,
  type ReserveRequest,
  type ReserveResult,
  type RollingWindow,
} from './ledger.ts';
export {
  type Availability,
  type Capabilities,
  type HoldQuote,
  type LLM,
  type LLMMiddleware,
  modelId,
} from './llm.ts';
export { formatUsd, PICO_PER_USD, type PicoUsd, parseUsd, usdDecimal, usdNumber } from './money.ts';
export { nearestName } from './nearest-name.ts';
export {
  type Attributes,
  type CallOptions,
  checkCallOptions,
  checkLLMConfig,
  type LLMConfig,
  type TimeLimits,
} from './options.ts';
export type {
  BudgetRemaining,
  BudgetView,
  CostRecord,
  Price,
  PriceLookup,
  PriceQuery,
  Retirement,
  SpendSource,
} from './price.ts';
export {
  type AssistantMessage,
  type ImagePart,
  type Message,
  type Prompt,
  promptText,
  type SystemMessage,
  type TextPart,
  type ToolMessage,
  toMessages,
  type UserMessage,
} from './prompt.ts';
export { type IdSource, type Random, systemIds, systemRandom } from './random.ts';
export { type LinkedSignal, linkSignals, raceAbort } from './signal.ts';
export type {
  SchemaIssue,
  SchemaResult,
  StandardJsonSchema,
  StandardSchema,
  StandardSchemaProps,
} from './standard-schema.ts';
export {
  createGenerationStream,
  type GenerationStream,
  isContent,
  passOn,
  relay,
  relayTry,
  type StreamContext,
  type StreamEvent,
  type StreamSource,
  type StreamWatch,
  type TryHooks,
} from './stream.ts';
export {
  createTokenCounter,
  estimatePromptTokens,
  estimateTextTokens,
  maxPromptTokens,
  type TokenCounter,
  type TokenEncoder,
} from './tokens.ts';
export {
  type JsonSchema,
  type ResponseFormat,
  type Tool,
  type ToolCall,
  type ToolChoice,
  toToolCall,
} from './tool.ts';
export {
  assertTokenCounts,
  type TokenCounts,
  tokenCountNames,
  type Usage,
  type UsageSource,
} from './usage.ts';
export { type NumberRule, rejectUnknownKeys, requireNumber } from './validate.ts';
export { wrap } from './wrap.ts';
