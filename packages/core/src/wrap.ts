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
 * (`capabilities`, `availability`, `candidates`, fields of your own) survives unless a policy replaces it.
 */
export function wrap(llm: LLM, ...middleware: readonly LLMMiddleware[]): LLM {
  return middleware.reduceRight((next, policy) => inherit(policy(next), next), llm);
}

/** Gives `outer` every member of `inner` that it lacks; methods keep `inner` as their `this`. */
function inherit(outer: LLM, inner: LLM): LLM {
  if (outer === inner) return outer;
  const target = Object.isExtensible(outer) ? outer : Object.create(outer);
  for (const key of memberKeys(inner)) {
    if (key in target) continue;
    Object.defineProperty(target, key, {
      enumerable: true,
      configurable: true,
      get() {
        const value: unknown = Reflect.get(inner, key, inner);
        return typeof value === 'function' ? value.bind(inner) : value;
      },
    });
  }
  return target;
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
