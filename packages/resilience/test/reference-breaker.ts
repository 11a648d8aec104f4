/** A plain reading of the rules of a circuit breaker: lists instead of rings, everything computed anew. */
export interface ReferenceOptions {
  readonly failureThreshold: number;
  readonly windowMs: number;
  readonly recoveryMs: number;
  readonly halfOpenPermits: number;
  readonly probeLeaseMs: number;
}

interface Call {
  readonly epoch: number;
  readonly probe: boolean;
  settled: boolean;
}

export class ReferenceBreaker {
  readonly #options: ReferenceOptions;
  readonly calls: Call[] = [];
  nowMs = 0;
  /** How often the state changed. */
  epoch = 0;
  mode: 'CLOSED' | 'OPEN' | 'HALF_OPEN' = 'CLOSED';
  openUntilMs = 0;
  isolations = 0;
  failures: number[] = [];
  probesOut: { readonly call: Call; readonly leaseUntilMs: number }[] = [];
  probesSucceeded = 0;
  lapses = 0;
  counts = { successes: 0, failures: 0, neutral: 0, late: 0, refusals: 0 };

  constructor(options: ReferenceOptions) {
    this.#options = options;
  }

  get state(): 'CLOSED' | 'OPEN' | 'HALF_OPEN' {
    if (this.isolations > 0) return 'OPEN';
    if (this.mode === 'OPEN' && this.nowMs >= this.openUntilMs) return 'HALF_OPEN';
    return this.mode;
  }

  /** The call, or `undefined` if it is refused. */
  admit(): Call | undefined {
    const { halfOpenPermits, probeLeaseMs } = this.#options;
    const state = this.state;
    if (state === 'CLOSED') return this.#call(false);
    if (state === 'HALF_OPEN') {
      if (this.mode === 'OPEN') this.#become('HALF_OPEN');
      if (this.probesOut.length + this.probesSucceeded >= halfOpenPermits) {
        const inTime = this.probesOut.filter(({ leaseUntilMs }) => leaseUntilMs > this.nowMs);
        if (inTime.length < this.probesOut.length) this.lapses++;
        this.probesOut = inTime;
      }
      if (this.probesOut.length + this.probesSucceeded < halfOpenPermits) {
        const call = this.#call(true);
        const leaseUntilMs = this.nowMs + probeLeaseMs * Math.min(16, 2 ** this.lapses);
        this.probesOut.push({ call, leaseUntilMs });
        return call;
      }
    }
    this.counts.refusals++;
    return undefined;
  }

  settle(call: Call, verdict: 'succeed' | 'fail' | 'neutral'): void {
    if (call.settled) return;
    call.settled = true;
    const hasPlace = !call.probe || this.probesOut.some((probe) => probe.call === call);
    if (call.epoch !== this.epoch || !hasPlace) {
      this.counts.late++;
      return;
    }
    this.probesOut = this.probesOut.filter((probe) => probe.call !== call);
    if (verdict === 'neutral') this.counts.neutral++;
    else if (verdict === 'succeed') this.#succeeded(call);
    else this.#failed(call);
  }

  open(ms: number): void {
    const leftMs = this.mode === 'OPEN' ? Math.max(0, this.openUntilMs - this.nowMs) : 0;
    this.#openFor(Math.max(ms, leftMs));
  }

  close(): void {
    this.failures = [];
    this.#become('CLOSED');
  }

  isolate(): void {
    this.isolations++;
    if (this.isolations === 1) this.#become(this.mode);
  }

  release(): void {
    this.isolations = Math.max(0, this.isolations - 1);
  }

  #call(probe: boolean): Call {
    const call = { epoch: this.epoch, probe, settled: false };
    this.calls.push(call);
    return call;
  }

  #succeeded(call: Call): void {
    this.counts.successes++;
    if (!call.probe) return;
    this.probesSucceeded++;
    if (this.probesSucceeded === this.#options.halfOpenPermits) this.close();
  }

  #failed(call: Call): void {
    const { failureThreshold, windowMs, recoveryMs } = this.#options;
    this.counts.failures++;
    if (call.probe) {
      this.#openFor(recoveryMs);
      return;
    }
    this.failures.push(this.nowMs);
    const recent = this.failures.filter((atMs) => this.nowMs - atMs < windowMs);
    if (recent.length >= failureThreshold) this.#openFor(recoveryMs);
  }

  #openFor(ms: number): void {
    this.openUntilMs = this.nowMs + ms;
    this.#become('OPEN');
  }

  #become(mode: 'CLOSED' | 'OPEN' | 'HALF_OPEN'): void {
    this.mode = mode;
    this.epoch++;
    this.probesOut = [];
    this.probesSucceeded = 0;
    this.lapses = 0;
  }
}
