import { createHash } from 'node:crypto';

/** A Lua script as the server knows it: by the SHA-1 of its text. */
export interface Script {
  readonly name: string;
  readonly source: string;
  readonly sha: string;
}

/** Puts a script together from its parts. */
export function script(name: string, ...parts: readonly string[]): Script {
  const source = parts.map((part) => part.trim()).join('\n');
  return { name, source, sha: createHash('sha1').update(source).digest('hex') };
}
