import { ConfigError } from '@synapsekit/core';
import type { CaseRun, Metric, MetricVerdict } from './metric.ts';
import { type MetricOptions, oneOf, readMetricOptions, requireText } from './metric-options.ts';
import { util } from './node-builtins.ts';
import { show } from './output.ts';

/** A tool call that is expected: its name, and its arguments where they matter. */
export interface ExpectedToolCall {
  readonly name: string;
  /** Fields that the arguments must have, with these values; others do not matter. @default anything */
  readonly arguments?: Readonly<Record<string, unknown>> | undefined;
}

/** Options of `ToolCalls`. */
export interface ToolCallsOptions<Name extends string = string> extends MetricOptions<Name> {
  /** Names, or names with arguments. An empty list says that no tool is called. */
  readonly expected: readonly (string | ExpectedToolCall)[];
  /**
   * - `"exact"`: these calls, in this order, and no other.
   * - `"in-order"`: these calls in this order; others may stand between them.
   * - `"any-order"`: these calls, wherever; others may be there.
   * @default "exact"
   */
  readonly mode?: 'exact' | 'in-order' | 'any-order' | undefined;
}

interface ActualToolCall {
  readonly name: string;
  readonly arguments: unknown;
}

/**
 * Passes when a case had the expected tools called. It looks at `toolCalls` of what the case returned: a `Generation`
 * as it is, or a list of `{ name, arguments }` that an agent's loop collected. A case that returns none of it fails.
 */
export class ToolCalls<const Name extends string = never> implements Metric<Name> {
  readonly name: string = 'ToolCalls';
  readonly applyTo: readonly Name[] | undefined;
  readonly #expected: readonly ExpectedToolCall[];
  readonly #mode: 'exact' | 'in-order' | 'any-order';

  /** @throws ConfigError for calls without a name, an unknown option, or an empty `applyTo`. */
  constructor(options: ToolCallsOptions<Name>) {
    this.applyTo = readMetricOptions(this.name, options, ['expected', 'mode']);
    const { expected, mode = 'exact' } = options;
    if (!Array.isArray(expected)) {
      throw new ConfigError('expected of ToolCalls must be a list.', { option: 'expected' });
    }
    this.#mode = oneOf(mode, ['exact', 'in-order', 'any-order'], 'mode', this.name);
    if (expected.length === 0 && this.#mode !== 'exact') {
      throw new ConfigError('ToolCalls expects no call and allows others: it would always pass.', {
        option: 'expected',
      });
    }
    this.#expected = expected.map((call: string | ExpectedToolCall) => {
      const entry = typeof call === 'string' ? { name: call } : call;
      requireText(entry?.name, 'expected', this.name);
      return entry;
    });
  }

  evaluate({ value }: CaseRun): MetricVerdict {
    const actual = readToolCalls(value);
    if (actual === undefined) {
      return {
        pass: false,
        detail: 'the case returned no toolCalls: return the Generation, or { toolCalls }',
      };
    }
    const pass = this.#holds(actual);
    if (pass) return { pass, detail: counted(actual.length) };
    const wanted = this.#expected.map(describe).join(', ') || 'none';
    return {
      pass,
      detail: `expected ${wanted} (${this.#mode}), got ${actual.map(describe).join(', ') || 'none'}`,
    };
  }

  #holds(actual: readonly ActualToolCall[]): boolean {
    if (this.#mode === 'exact') {
      return (
        actual.length === this.#expected.length &&
        actual.every((call, index) => fits(call, this.#expected[index] as ExpectedToolCall))
      );
    }
    if (this.#mode === 'in-order') {
      let next = 0;
      for (const call of actual) {
        const wanted = this.#expected[next];
        if (wanted !== undefined && fits(call, wanted)) next++;
      }
      return next === this.#expected.length;
    }
    return canAssign(this.#expected, actual);
  }
}

/** Whether each expected call has an actual one of its own: a matching, found by augmenting paths. */
function canAssign(expected: readonly ExpectedToolCall[], actual: readonly ActualToolCall[]): boolean {
  const takenBy = new Map<number, number>();
  const assign = (want: number, seen: Set<number>): boolean => {
    for (const [index, call] of actual.entries()) {
      if (seen.has(index) || !fits(call, expected[want] as ExpectedToolCall)) continue;
      seen.add(index);
      const holder = takenBy.get(index);
      if (holder === undefined || assign(holder, seen)) {
        takenBy.set(index, want);
        return true;
      }
    }
    return false;
  };
  return expected.every((_, want) => assign(want, new Set()));
}

function fits(actual: ActualToolCall, { name, arguments: wanted }: ExpectedToolCall): boolean {
  if (actual.name !== name) return false;
  if (wanted === undefined) return true;
  const given = actual.arguments;
  if (typeof given !== 'object' || given === null) return false;
  return Object.entries(wanted).every(([key, value]) =>
    util.isDeepStrictEqual(Reflect.get(given, key), value),
  );
}

function readToolCalls(value: unknown): readonly ActualToolCall[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const calls: unknown = Reflect.get(value, 'toolCalls');
  if (!Array.isArray(calls)) return undefined;
  return calls.map((call: unknown) => {
    const { name, arguments: given } = (call ?? {}) as Partial<ActualToolCall>;
    return { name: String(name), arguments: given };
  });
}

function describe({
  name,
  arguments: given,
}: {
  readonly name: string;
  readonly arguments?: unknown;
}): string {
  return given === undefined ? name : `${name}(${show(given, 80)})`;
}

function counted(calls: number): string {
  return calls === 1 ? '1 call' : `${calls} calls`;
}
