import type { Options } from 'tsup';

/** The one build, run by each package in its own folder: JavaScript from here, declarations from `tsc`. */
const config: Options = {
  entry: ['src/index.ts'],
  format: 'esm',
  target: 'node22',
  platform: 'node',
  dts: false,
  sourcemap: true,
  clean: true,
  silent: true,
  removeNodeProtocol: false, // some builtins exist only under `node:`
};

export default config;
