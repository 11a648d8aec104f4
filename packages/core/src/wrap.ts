import { ConfigError } from './errors.ts';
import type { LLM, LLMMiddleware } from './llm.ts';

/**
 * Puts policies around a model, outermost first, and returns a model again:
 *
 * ```ts
 * const llm = wrap(model, retry(), enforceBudget(guard), breakOn(breaker), trackCost(tracker));
 * ```
 *
 * That order is the right one: each retry is a call of its own for everything inside; a budget that refuses never
 * holds the breaker's probe; every attempt is tracked. Whatever the model offers beyond `generate` and `stream`
 * (`capabilities`, `availability`, `candidates`, fields of your own) survives unless a policy replaces it. Neither the
 * model nor what a policy returns is changed.
 *
 * @throws ConfigError for a policy that returns no model.
 */
export function wrap(llm: LLM, ...middleware: readonly LLMMiddleware[]): LLM {
  return middleware.reduceRight((next, policy) => inherit(policy(next), next), llm);
}

/** All members of `outer`, and those of `inner` that it lacks; methods keep their own `this`. */
function inherit(outer: LLM, inner: LLM): LLM {
  if (outer === inner) return outer;
  if (typeof outer?.generate !== 'function') {
    throw new ConfigError('A middleware must return a model. Did it forget to return, or is it async?');
  }
  const members: PropertyDescriptorMap = {};
  for (const source of [inner, outer])
    for (const key of memberKeys(source)) members[key] = member(source, key);
  return Object.defineProperties({} as LLM, members);
}

function member(source: LLM, key: string | symbol): PropertyDescriptor {
  // Bound once, not for every call.
  let method: unknown;
  let bound: unknown;
  return {
    enumerable: true,
    configurable: true,
    get() {
      const value: unknown = Reflect.get(source, key, source);
      if (typeof value !== 'function') return value;
      if (value !== method) {
        method = value;
        bound = value.bind(source);
      }
      return bound;
    },
  };
}

function memberKeys(object: object): Set<string | symbol> {
  const keys = new Set<string | symbol>();
  for (
    let level: object | null = object;
    level !== null && level !== Object.prototype;
    level = Object.getPrototypeOf(level)
  ) {
    for (const key of Reflect.ownKeys(level)) if (key !== 'constructor') keys.add(key);
  }
  return keys;
}
