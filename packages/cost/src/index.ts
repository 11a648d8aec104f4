export { CostTracker, type CostTrackerOptions } from './cost-tracker.ts';
export { PriceBook, type PriceBookOptions } from './price-book.ts';
export type {
  FreeOverride,
  LongContextPrices,
  OverrideScope,
  PaidOverride,
  PriceOverride,
  SteppedPrices,
  TokenPrices,
} from './price-override.ts';
export type { TierRule } from './prices/service-tiers.ts';
export type {
  AttemptOptions,
  RecordOptions,
  Scope,
  ScopeHandle,
  ScopeOptions,
  SpendRecorder,
  TrackedCall,
} from './scope.ts';
export type { CostSnapshot, SnapshotNode, SnapshotTotals } from './snapshot.ts';
export type { CostSummary, ScopeNode } from './summary.ts';
export type { SpendTotals } from './totals.ts';
export { type TrackCostOptions, trackCost } from './track-cost.ts';
export type { ModelRef, UnknownPricePolicy } from './valuer.ts';
export type { CostWarning, CostWarningCode } from './warnings.ts';
