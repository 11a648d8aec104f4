export {
  type CalibratedRoute,
  CalibratedRouter,
  type CalibratedRouterOptions,
} from './calibrate/calibrated-router.ts';
export type { CalibrationJson, OperatingPoint, RoutePromise } from './calibrate/calibration.ts';
export type { DriftStatus, DriftWatchOptions, RouteDrift } from './calibrate/drift-watch.ts';
export type { CascadeGain, CascadeRouterOptions, GainEstimator } from './cascade/cascade-options.ts';
export type { CascadeOutcome, CascadeRoute, CascadeTry, NamedVerdict } from './cascade/cascade-route.ts';
export { type CascadeGeneration, CascadeRouter } from './cascade/cascade-router.ts';
export type { Classification, ClassifyOptions, ComplexityClassifier } from './classifier.ts';
export { type Complexity, complexities, isComplexity } from './complexity.ts';
export type { DecidingRouterOptions } from './deciding-router.ts';
export { GainModel } from './learned/gain-model.ts';
export {
  type LearnedRoute,
  LearnedRouter,
  type LearnedRouterGoals,
  type LearnedRouterOptions,
} from './learned/learned-router.ts';
export type {
  LearnedHeadJson,
  LengthHeadJson,
  PoolModel,
  RouterModelJson,
  ValidationJson,
} from './learned/router-model.ts';
export { LengthClassifier, type LengthClassifierOptions } from './length-classifier.ts';
export { LLMClassifier, type LLMClassifierOptions } from './llm-classifier.ts';
export type { Outcome, OutcomeRow } from './outcomes/outcome.ts';
export { type CapShareOptions, capShare } from './policy/cap-share.ts';
export { type LogDecisionsOptions, type LoggedDecision, logDecisions } from './policy/log-decisions.ts';
export type { LogOutcomesOptions, OutcomeSink, ScoreAnswer, ShadowOptions } from './policy/log-options.ts';
export { logOutcomes, type OutcomeLog, type OutcomeLogStatus } from './policy/log-outcomes.ts';
export { type PaceBudgetOptions, paceBudget } from './policy/pace-budget.ts';
export type { CandidateNote, DecidedCandidate, RouteDecision } from './policy/route-decision.ts';
export type { RouteCandidate, RouteDraft, RouteEnd, RoutePolicy } from './policy/route-policy.ts';
export { type StayInConversationOptions, stayInConversation } from './policy/stay-in-conversation.ts';
export type { RouteScope } from './route-scope.ts';
export type { Route, RouteBase, RouteCost, RoutedGeneration, RouteStep } from './routed.ts';
export { Router, type RouterOptions } from './router.ts';
export { type AgreesWithOptions, agreesWith } from './verify/agrees-with.ts';
export { finished } from './verify/finished.ts';
export { type LearnedVerifierOptions, learnedVerifier } from './verify/learned-verifier.ts';
export { matchesSchema, type StandardResult, type StandardSchema } from './verify/matches-schema.ts';
export { type MeanLogprobOptions, meanLogprob } from './verify/mean-logprob.ts';
export {
  choiceAnswer,
  jsonFields,
  labelAnswer,
  type Normaliser,
  numberAnswer,
  textAnswer,
} from './verify/normalise.ts';
export { type NotRefusedOptions, notRefused } from './verify/not-refused.ts';
export { type AnswerTest, type PassesOptions, passes } from './verify/passes.ts';
export type { VerifierJson } from './verify/train-verifier.ts';
export type { Verdict, Verifier, VerifyRequest } from './verify/verifier.ts';
