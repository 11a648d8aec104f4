import type { TokenCounts } from '../usage.ts';
import type { JsonObject } from './json.ts';

/**
 * An answer with status 200 that is none: found while reading it, turned into a `ProviderError` at the border.
 *
 * - `"malformed"`: no answer at all.
 * - `"in-band"`: the provider reports an error where the answer should be.
 * - `"truncated"`: a stream that ended without its terminator.
 */
export class WireFailure extends Error {
  readonly reason: 'malformed' | 'in-band' | 'truncated';
  /** What was found, in words of ours; never what stands in the body. */
  readonly found: string;
  /** The object that has the `error` in it. */
  readonly body: JsonObject | undefined;
  /** Usage that came with it: it is billed, whatever else is wrong. */
  readonly usage: TokenCounts | undefined;

  constructor(
    reason: WireFailure['reason'],
    found: string,
    facts: { readonly body?: JsonObject; readonly usage?: TokenCounts | undefined } = {},
  ) {
    super(found);
    this.reason = reason;
    this.found = found;
    this.body = facts.body;
    this.usage = facts.usage;
  }
}
