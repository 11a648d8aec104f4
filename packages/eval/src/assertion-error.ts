import type * as Assert from 'node:assert';

/** `AssertionError` of `node:assert`, which is loaded only now: most cases never fail. */
export function assertionError(
  message: string,
  received: unknown,
  expected: { readonly value: unknown } | undefined,
): Assert.AssertionError {
  const { AssertionError } = process.getBuiltinModule('node:assert');
  return new AssertionError({
    message,
    actual: received,
    expected: expected?.value,
    operator: 'expect',
    stackStartFn: assertionError,
  });
}

/** True for an assertion that did not hold: ours, one of `node:assert`, Chai or Vitest. */
export function isAssertionError(error: unknown): boolean {
  try {
    if (typeof error !== 'object' || error === null) return false;
    return Reflect.get(error, 'code') === 'ERR_ASSERTION' || Reflect.get(error, 'name') === 'AssertionError';
  } catch {
    return false; // a hostile Proxy
  }
}
