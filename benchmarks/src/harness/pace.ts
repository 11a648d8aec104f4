/** How long things are measured. */
export interface Pace {
  readonly quick: boolean;
  readonly rounds: number;
  /** One sample of one contender, milliseconds. */
  readonly sampleMs: number;
  /** Before the first sample, for each contender, milliseconds. */
  readonly warmUpMs: number;
}

/** For figures that count. */
export const fullPace: Pace = { quick: false, rounds: 41, sampleMs: 20, warmUpMs: 400 };

/** To see that everything runs. */
export const quickPace: Pace = { quick: true, rounds: 9, sampleMs: 8, warmUpMs: 100 };
