/** How long things are measured. */
export interface Pace {
  readonly quick: boolean;
  readonly rounds: number;
  /** One sample of one contender, milliseconds. */
  readonly sampleMs: number;
  /** Before the first sample, for each contender, milliseconds. */
  readonly warmUpMs: number;
  /**
   * Each round there and back, A B B A, its two samples of a contender taken as one: what grows or fades in the course
   * of a round hits all of them alike. For ratios near 1. @default false
   */
  readonly mirrored?: boolean | undefined;
}

/** For figures that count. */
export const fullPace: Pace = { quick: false, rounds: 41, sampleMs: 20, warmUpMs: 400 };

/** To see that everything runs. */
export const quickPace: Pace = { quick: true, rounds: 9, sampleMs: 8, warmUpMs: 100 };
