/** An error as it is handed from one process to another. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly code?: string | undefined;
  readonly cause?: WireError | undefined;
}

/** What is told of an error: its words and what caused it. */
export function toWire(error: unknown, depth = 3): WireError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const code: unknown = Reflect.get(error, 'code');
  return {
    name: error.name,
    message: error.message,
    ...(typeof code === 'string' && { code }),
    ...(error.cause !== undefined && depth > 0 && { cause: toWire(error.cause, depth - 1) }),
  };
}

/** The error again: `fetch` throws a `TypeError` with its cause, and clients look at both. */
export function fromWire({ name, message, code, cause }: WireError): Error {
  const options = cause === undefined ? {} : { cause: fromWire(cause) };
  const error = name === 'TypeError' ? new TypeError(message, options) : new Error(message, options);
  if (name !== error.name) error.name = name;
  return code === undefined ? error : Object.assign(error, { code });
}
