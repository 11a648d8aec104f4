import type { Estimate } from '../measure/bootstrap.ts';
import type { CostQuality } from './operating-points.ts';
import type { RouterProbe } from './probe-router.ts';

/** One model of the pool in a report. */
export interface ReportedModel {
  readonly name: string;
  readonly role?: 'weak' | 'strong' | undefined;
  readonly quality: Estimate;
  /** Dollars per query on average; absent when the outcomes do not say. */
  readonly costUsd?: number | undefined;
  /** A model that is at least as good and no dearer, one of the two strictly: there is no reason to keep this one. */
  readonly dominatedBy?: string | undefined;
}

/** How little of the best model's cost reaches so much of its quality; `undefined`: never. */
export interface CostTo {
  readonly '90': number | undefined;
  readonly '95': number | undefined;
  readonly '98': number | undefined;
  readonly '100': number | undefined;
}

/** What a router is worth on these outcomes. */
export interface ReportedRouter {
  readonly name: string;
  /** Baselines are there to be compared with; `held-out` is what training on this file gives. */
  readonly kind: 'baseline' | 'held-out' | 'router';
  /** Rows that it was measured on. */
  readonly rows: number;
  /** How many rows it was trained on, wherever they came from, as its model file says; 0 for baselines and functions. */
  readonly trainedOn: number;
  /** Rows of these that were left out as seen in training: all that were, and a few that its memory takes for them. */
  readonly excluded: number;
  /** Why there are no figures. */
  readonly unmeasured?: string | undefined;
  /** Average share of the gap recovered, over all shares of strong calls; random is 0.5. Between the weak and the strong model. */
  readonly apgr?: Estimate | undefined;
  /** Percent of strong calls for half of the gap, and for 80 % of it. */
  readonly cpt50?: Estimate | undefined;
  readonly cpt80?: Estimate | undefined;
  /** Mean quality over all costs, over the whole pool. */
  readonly aiq?: Estimate | undefined;
  /** As a share of what the best model alone costs. */
  readonly costTo?: CostTo | undefined;
  /** APGR of prompt length on the same rows, and how far this one is ahead of it in paired draws. */
  readonly lengthApgr?: number | undefined;
  readonly advantage?: Estimate | undefined;
  /** APGR on queries of groups that it has not seen in training. */
  readonly leaveGroupOut?: Estimate | undefined;
  /** APGR within single groups: what is left when kinds of queries cannot be told apart. */
  readonly withinGroups?: Estimate | undefined;
  readonly probe?: RouterProbe | undefined;
  /** APGR of the score that is hardened against prefixes. */
  readonly hardenedApgr?: number | undefined;
  /** `"worthless"`: the lower bound of its APGR is not above prompt length, or not above a coin. */
  readonly verdict: 'baseline' | 'better-than-length' | 'worthless' | 'unmeasured';
  readonly curve: readonly CostQuality[];
}

/** A router without figures, and why. */
export function unmeasured(name: string, kind: ReportedRouter['kind'], reason: string): ReportedRouter {
  const none = { rows: 0, trainedOn: 0, excluded: 0 };
  return { name, kind, ...none, unmeasured: reason, verdict: 'unmeasured', curve: [] };
}

/** What `synapsekit route eval` says. Plain JSON, without a word of any prompt. */
export interface RouteReport {
  readonly version: 1;
  readonly rows: number;
  /** Rows without a score for every model. */
  readonly leftOut: number;
  readonly groups: number;
  readonly draws: number;
  readonly seed: number;
  /** What costs are counted in: dollars, or calls to the strong model where the outcomes hold no costs. */
  readonly costUnit: 'usd' | 'strong-calls';
  readonly weak: string;
  readonly strong: string;
  readonly models: readonly ReportedModel[];
  readonly routers: readonly ReportedRouter[];
}
