/** Whose traffic it is. */
export interface TrafficContext {
  /** The eval file, as reports name it. */
  readonly file?: string | undefined;
  /** Name of the suite, if it has one. */
  readonly suite?: string | undefined;
  /** Name of the case; `undefined` while files are loaded, and while a suite is judged as a whole. */
  readonly name?: string | undefined;
  /** Which run of the case this is, from 0: trials and retries count up. */
  readonly trial: number;
  /** `"judge"` is a metric, of the case or of the suite; `"load"` is the body of an eval file. */
  readonly role: 'load' | 'case' | 'judge';
  /** Aborts when the case has to stop: whoever waits for money gives up then. */
  readonly signal: AbortSignal;
  /** Aborts when the case has returned: nobody reads any more what it did not begin to read. */
  readonly returned?: AbortSignal | undefined;
}

/** Why a trial is worth nothing, whatever the case made of it. */
export interface TrafficStop {
  /**
   * - `"budget"`: what it needed did not fit into the budget of the run.
   * - `"replay-miss"`: no tape answers one of its requests.
   * - `"blocked"`: it went to the network where that is forbidden.
   */
  readonly kind: 'budget' | 'replay-miss' | 'blocked';
  /** One clause for people. */
  readonly message: string;
  /** More lines, printed as they are. */
  readonly detail?: string | undefined;
}

/** What went over the wire. JSON-safe. */
export interface TrafficReport {
  /** What was really spent, in US dollars, as an exact decimal string. */
  readonly billedUsd: string;
  readonly requests: number;
  /** How many of them were answered from tape. */
  readonly replayed: number;
  /** How many of them were put on tape. */
  readonly recorded: number;
  /** How many were billed at an unknown price. */
  readonly unknownCost?: number | undefined;
  /** Set when something made the trial worthless. */
  readonly stop?: TrafficStop | undefined;
}

/**
 * What stands at the HTTP boundary of a run: tapes, the budget of the run, limits per provider. The runner tells it
 * whose code runs, and asks it what happened.
 */
export interface TrafficController {
  /**
   * Asked once it is known which files will run, before they are loaded.
   *
   * @throws ConfigError for a tape that cannot be read: nothing was sent by then.
   */
  prepare?(files: readonly string[]): Promise<void>;
  /**
   * Asked before each trial; may wait until running ones have settled. A text is the reason why the trial cannot run.
   * Must not reject.
   */
  admit?(context: TrafficContext): string | undefined | Promise<string | undefined>;
  /** Runs `fn`: everything that it starts, in its async context, belongs to `context`. */
  run<T>(context: TrafficContext, fn: () => T): T;
  /** What happened under a trial, case and judges together, or under a metric on a suite. Asked once, when it is over. */
  report(context: TrafficContext): TrafficReport | undefined;
  /** What happened in the whole run, loading included. */
  total(): TrafficReport;
  /** Ends it, and saves what is to be saved. The host calls it, not the runner. */
  close(): Promise<void>;
}
