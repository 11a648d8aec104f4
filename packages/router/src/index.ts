export type { Classification, ClassifyOptions, ComplexityClassifier } from './classifier.ts';
export { type Complexity, complexities, isComplexity } from './complexity.ts';
export { LengthClassifier, type LengthClassifierOptions } from './length-classifier.ts';
export { LLMClassifier, type LLMClassifierOptions } from './llm-classifier.ts';
export type { CandidateNote, DecidedCandidate, RouteDecision } from './policy/route-decision.ts';
export type { RouteCandidate, RouteDraft, RouteEnd, RoutePolicy } from './policy/route-policy.ts';
export type { RouteScope } from './route-scope.ts';
export type { Route, RouteBase, RouteCost, RoutedGeneration, RouteStep } from './routed.ts';
export { Router, type RouterOptions } from './router.ts';
