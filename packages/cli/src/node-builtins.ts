/**
 * Parts of Node that are taken and not imported: an import reads all that a module exports, and behind some exports of
 * `node:util` and `node:fs` wait modules that Node loads then, for longer than an eval file takes.
 */
export const fs: typeof import('node:fs') = process.getBuiltinModule('node:fs');
/** See `fs`. */
export const util: typeof import('node:util') = process.getBuiltinModule('node:util');
