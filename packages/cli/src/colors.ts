import type { CliIo, CliStream } from './io.ts';

/**
 * Whether to print colours on a stream: the flag `--no-color` decides, then `FORCE_COLOR`, then `NO_COLOR` (in the
 * order of Node itself), then whether it is a terminal.
 */
export function usesColor({ env }: Pick<CliIo, 'env'>, stream: CliStream, noColor: boolean): boolean {
  if (noColor) return false;
  const { FORCE_COLOR: force, NO_COLOR: no, TERM: term } = env;
  if (force !== undefined) return force !== '0' && force !== 'false';
  if (no !== undefined && no !== '') return false;
  return stream.isTTY === true && term !== 'dumb';
}
