/** What is promised. */
export type RoutePromise =
  /** On average at least this share of the strong model's quality. */
  | { readonly kind: 'quality'; readonly keep: number }
  /** On average at most so many dollars per query. */
  | { readonly kind: 'cost'; readonly maxCostUsd: number }
  /** At most this share of calls to the strong model. */
  | { readonly kind: 'share'; readonly maxStrongShare: number };

/** What a threshold does, as the calibration rows have it. */
export interface OperatingPoint {
  /** Queries whose gain is at least this go to the strong model. */
  readonly threshold: number;
  readonly strongShare: number;
  /** Mean score of the answers. */
  readonly quality: number;
  /** Dollars per query on average; absent when the outcomes do not say. */
  readonly costUsd?: number | undefined;
}

/** A promise with the threshold that keeps it. */
export interface CalibrationJson {
  /** The model that it was made for: thresholds mean nothing for another one. */
  readonly model: { readonly fingerprint: string; readonly weak: string; readonly strong: string };
  readonly promise: RoutePromise;
  /** The promise fails to hold in at most 1 - confidence of all calibrations. */
  readonly confidence: number;
  /** Rows that it was calibrated on, none of which the model was trained on. */
  readonly rows: number;
  readonly seed: number;
  /** The point that keeps the promise. */
  readonly point: OperatingPoint;
  /** The point that would just do on these rows, with no guarantee: it breaks about every other time. */
  readonly unguarded: OperatingPoint;
  /** Mean scores of the two models on these rows. */
  readonly weakQuality: number;
  readonly strongQuality: number;
  /** Standard deviation of the cost of a query at the point; what drift is judged against. */
  readonly costSdUsd?: number | undefined;
}
