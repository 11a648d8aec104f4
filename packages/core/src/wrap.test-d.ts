import { expectTypeOf, test } from 'vitest';
import { type LLM, type LLMMiddleware, wrap } from './index.ts';

declare const llm: LLM;
declare const policy: LLMMiddleware;

test('a wrapped model is a model again, with everything that a model may offer', () => {
  const wrapped = wrap(llm, policy, (next) => ({ ...next, generate: next.generate }));
  expectTypeOf(wrapped).toEqualTypeOf<LLM>();
  expectTypeOf(wrapped.capabilities?.tools).toEqualTypeOf<boolean | undefined>();
  expectTypeOf(wrap(llm)).toEqualTypeOf<LLM>();
});

test('a policy that gives no model does not compile', () => {
  // @ts-expect-error It forgot to return.
  wrap(llm, () => {});
  // @ts-expect-error It is async.
  wrap(llm, async (next) => next);
  // @ts-expect-error A policy is a function.
  wrap(llm, llm);
});
