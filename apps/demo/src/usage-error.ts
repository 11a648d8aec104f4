/** The demo cannot begin: wrong flags, no key, an unreadable file. Ends with exit code 2 and its message alone. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
