import type { PlannedCase } from './suite.ts';
import type { TrafficContext } from './traffic-control.ts';

/** An abort signal that is made when somebody asks for it: most cases never do, and it takes longer than they do. */
export class LazyAbort {
  #controller: AbortController | undefined;
  #aborted = false;

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#aborted) this.#controller.abort('over');
    return this.#controller.signal;
  }

  abort(): void {
    this.#aborted = true;
    this.#controller?.abort('over');
  }
}

/** Whose traffic it is that a trial makes. */
export class TrialContext implements TrafficContext {
  readonly file: string | undefined;
  readonly suite: string | undefined;
  readonly name: string;
  readonly trial: number;
  readonly role: 'case' | 'judge';
  readonly signal: AbortSignal;
  readonly #planned: PlannedCase;
  readonly #returned: LazyAbort;

  constructor(
    planned: PlannedCase,
    rest: Pick<TrialContext, 'trial' | 'role' | 'signal'> & { readonly returned: LazyAbort },
  ) {
    this.#planned = planned;
    this.#returned = rest.returned;
    this.file = planned.file;
    this.suite = planned.suite;
    this.name = planned.case.name;
    this.trial = rest.trial;
    this.role = rest.role;
    this.signal = rest.signal;
  }

  get returned(): AbortSignal {
    return this.#returned.signal;
  }

  /** The same for the metrics that judge the trial. */
  ofJudges(): TrialContext {
    const { trial, signal } = this;
    return new TrialContext(this.#planned, { trial, role: 'judge', signal, returned: this.#returned });
  }
}
