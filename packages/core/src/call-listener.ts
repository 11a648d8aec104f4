/**
 * Calls a listener of a user so that nothing it does reaches the call that it is told about: what it throws, or
 * rejects with later, goes to `onFailure`.
 */
export function callListener<E>(
  listener: (event: E) => unknown,
  event: E,
  onFailure: (error: unknown) => void,
): void {
  try {
    const result = listener(event);
    // An async listener has the type of one that returns nothing.
    if (result instanceof Promise) result.catch(onFailure);
  } catch (error) {
    onFailure(error);
  }
}

/** Says once on stderr, through Node's warnings, that a listener failed. The error's message may be anything. */
export function warnOfListener(what: string, error: unknown): void {
  const name = error instanceof Error ? error.name : typeof error;
  process.emitWarning(`${what} threw (${name}). The call it was told about is not affected.`, {
    type: 'SynapseKitWarning',
    code: 'SYNAPSEKIT_LISTENER',
  });
}
