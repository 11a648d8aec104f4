import {
  type CallOptions,
  ConfigError,
  type Prompt,
  rejectUnknownKeys,
  requireNumber,
} from '@synapsekit/core';
import { BoundedMap } from './bounded-map.ts';
import type { RouteCandidate, RoutePolicy } from './route-policy.ts';
import { candidateOf } from './serving-candidate.ts';

/** Options of `capShare`. */
export interface CapShareOptions {
  /** The largest share of calls that the strong models may take in the long run, 0 to 1. */
  readonly max: number;
  /** `LLM.id` of the models that are capped. @default the dearest candidate of each call (by cost, or else by tier) */
  readonly models?: readonly string[] | undefined;
  /** Each has a cap of its own: a tenant, a user. @default one cap for all calls */
  readonly by?: ((prompt: Prompt, options: CallOptions) => string | undefined) | undefined;
  /** How many strong calls may come in a row before the share counts. @default 10 */
  readonly burst?: number | undefined;
  /** How many tenants are remembered; the ones that were quiet for longest go first. @default 10000 */
  readonly maxKeys?: number | undefined;
}

/** Strong calls that are still free to use. Below zero: used ahead. */
interface Allowance {
  left: number;
}

/**
 * Caps the share of calls that strong models may take, whatever the figures say: `n` calls have at most
 * `max × n + burst` strong ones. A text that drives every query to the dearest model (there are such, and they work on
 * any router that reads prompts) then costs so much and no more. Put it last in `policies`. In a cascade, where nobody
 * knows beforehand who will be escalated, calls that run side by side may go past the cap together; the ones after them
 * make up for it. A broken answer of a cascade, and a cheap model that fails, go to the strong one all the same.
 *
 * @throws ConfigError for options out of range.
 */
export function capShare(options: CapShareOptions): RoutePolicy {
  rejectUnknownKeys(options, ['max', 'models', 'by', 'burst', 'maxKeys'], 'capShare');
  const { models, by = () => '', burst = 10, maxKeys = 10_000 } = options;
  const max = requireNumber(options.max, 'max', { min: 0, max: 1 });
  const percent = Number((max * 100).toPrecision(4));
  requireNumber(burst, 'burst', { integer: true, min: 0 });
  requireNumber(maxKeys, 'maxKeys', { integer: true, min: 1 });
  if (models !== undefined && (!Array.isArray(models) || models.length === 0)) {
    throw new ConfigError('models must name at least one model by its id.', { option: 'models' });
  }
  if (typeof by !== 'function') {
    throw new ConfigError('by must be a function of prompt and options.', { option: 'by' });
  }
  const allowances = new BoundedMap<string, Allowance>(maxKeys);
  /** Decisions whose strong call is counted already, with the models that were capped in it. */
  const open = new BoundedMap<
    string,
    { readonly allowance: Allowance; readonly strong: ReadonlySet<string>; readonly taken: boolean }
  >(10_000);

  const allowanceOf = (key: string): Allowance => {
    const found = allowances.get(key);
    if (found !== undefined) return found;
    const allowance = { left: burst };
    allowances.set(key, allowance);
    return allowance;
  };

  return {
    name: 'cap-share',

    apply(draft) {
      const allowance = allowanceOf(by(draft.prompt, draft.options) ?? '');
      const { candidates } = draft;
      // A full allowance does not grow on: quiet weeks are no licence.
      allowance.left = Math.min(Math.max(burst, 1), allowance.left + max);
      const strong = new Set(models ?? dearest(candidates));
      if (candidates.every(({ llm }) => strong.has(llm.id))) return;
      const first = candidates[0];
      const wants = first !== undefined && strong.has(first.llm.id);
      if (allowance.left < 1) {
        for (const candidate of candidates) {
          if (strong.has(candidate.llm.id)) {
            draft.defer(candidate, `strong models may take ${percent} % of the calls, and have`);
          }
        }
      }
      const taken = wants && allowance.left >= 1;
      if (taken) allowance.left--;
      open.set(draft.id, { allowance, strong, taken });
    },

    settle({ decision, generation, attempts, candidates }) {
      const call = open.take(decision.id);
      if (call === undefined) return;
      // An attempt that was cut off, or whose caller went away, is paid for like the one that served.
      const asked = [...attempts.map(({ id }) => id), ...(generation ? [generation.servedBy] : [])];
      const strong = asked.some((id) => {
        const candidate = candidateOf(id, candidates);
        return candidate !== undefined && call.strong.has(candidate.llm.id);
      });
      // A cascade, or a failover, that came to the strong model after all.
      if (strong && !call.taken) call.allowance.left--;
      // One that did not need to. What failed may have been paid for: it counts as it was planned.
      if (!strong && call.taken && generation !== undefined) call.allowance.left++;
    },
  };
}

function dearest(candidates: readonly RouteCandidate[]): readonly string[] {
  const by = candidates.every(({ costUsd }) => costUsd !== undefined)
    ? ({ costUsd = 0 }: RouteCandidate): number => costUsd
    : ({ tier = 0 }: RouteCandidate): number => tier;
  const most = Math.max(...candidates.map(by));
  return candidates.filter((candidate) => by(candidate) === most).map(({ llm }) => llm.id);
}
