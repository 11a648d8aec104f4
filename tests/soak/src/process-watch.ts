import type { Violations } from './violations.ts';

/** Looks at what a process leaks beside memory: listeners, timers, handles, rejections, warnings. */
export class ProcessWatch implements Disposable {
  readonly #violations: Violations;
  /** Sockets that may be kept alive between calls. */
  readonly #maxSockets: number;
  #listeners: string | undefined;
  readonly #onWarning = (warning: Error): void => {
    if (warning.name !== 'ExperimentalWarning')
      this.#violations.add(`process warning ${warning.name}`, warning.message);
  };
  readonly #onRejection = (reason: unknown): void => {
    this.#violations.add('unhandled rejection', reason instanceof Error ? reason.stack : String(reason));
  };

  constructor(violations: Violations, maxSockets: number) {
    this.#violations = violations;
    this.#maxSockets = maxSockets;
    process.on('warning', this.#onWarning);
    process.on('unhandledRejection', this.#onRejection);
  }

  [Symbol.dispose](): void {
    process.off('warning', this.#onWarning);
    process.off('unhandledRejection', this.#onRejection);
  }

  /** Compares with the first time. Call it when nothing is going on. */
  check(): void {
    const listeners = process
      .eventNames()
      .map((name) => `${String(name)} ${process.listenerCount(name)}`)
      .toSorted()
      .join(', ');
    this.#listeners ??= listeners;
    this.#violations.expect(
      listeners === this.#listeners,
      'listeners on process',
      `${this.#listeners} became ${listeners}`,
    );
    const resources = countBy(process.getActiveResourcesInfo());
    for (const [type, count] of resources) {
      const allowed = type.startsWith('TCP') ? this.#maxSockets : type === 'Timeout' ? 0 : 10;
      this.#violations.expect(count <= allowed, `active resources: ${type}`, `${count}, allowed ${allowed}`);
    }
  }
}

function countBy(values: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
