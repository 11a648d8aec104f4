export { atLeast, shareBounds } from '../calibrate/binomial.ts';
export { type CalibrateRouterOptions, calibrateRouter } from '../calibrate/calibrate-router.ts';
export { meanIsAbove } from '../calibrate/mean-test.ts';
export {
  type EvaluatedRouter,
  type EvaluateRoutersOptions,
  evaluateRouters,
  heldOutName,
} from '../evaluate/evaluate-routers.ts';
export type { CostQuality } from '../evaluate/operating-points.ts';
export type { AttackResult, RouterProbe } from '../evaluate/probe-router.ts';
export type { CostTo, ReportedModel, ReportedRouter, RouteReport } from '../evaluate/route-report.ts';
export { minTrainingRows } from '../learned/check-outcomes.ts';
export type { OutcomeTableOptions } from '../learned/outcome-table.ts';
export { type TrainRouterModelOptions, trainRouterModel } from '../learned/train-router-model.ts';
export type { Estimate } from '../measure/bootstrap.ts';
export type { GapMetrics, PairScores } from '../measure/gap-curve.ts';
export { measureGap } from '../measure/measure-gap.ts';
export { seededRandom } from '../measure/seeded-random.ts';
