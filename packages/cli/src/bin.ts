#!/usr/bin/env node
import module from 'node:module';

const oldest = [22, 18] as const;
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
  console.error(`synapsekit needs Node ${oldest.join('.')} or later; this is ${process.version}.`);
  process.exit(2);
}
// Before anything else is loaded: halves a warm start.
module.enableCompileCache();
const { main } = await import('./main.ts');
await main();
