export type { Classification, ClassifyOptions, ComplexityClassifier } from './classifier.ts';
export { type Complexity, complexities, isComplexity } from './complexity.ts';
export { LengthClassifier, type LengthClassifierOptions } from './length-classifier.ts';
export { LLMClassifier, type LLMClassifierOptions } from './llm-classifier.ts';
export type { Route, RouteCost, RoutedGeneration, RouteStep } from './routed.ts';
export { Router, type RouterOptions, type RouteScope } from './router.ts';
