/** The rules of the house, as a program: `pnpm house`. Each rule is a file in `scripts/house`. */
import { join } from 'node:path';
import { checkArrows } from './house/arrows.ts';
import { checkDocuments } from './house/documents.ts';
import { checkImports } from './house/imports.ts';
import { checkManifests } from './house/manifests.ts';
import { checkPlaces } from './house/places.ts';
import { checkPublicApi } from './house/public-api.ts';
import { readWorkspace } from './house/workspace.ts';

/** Everything that breaks a rule in the workspace at `root`, one message each. */
export async function checkHouse(root: string): Promise<string[]> {
  const workspace = readWorkspace(root);
  const slow = Promise.all([checkPlaces(root), checkDocuments(workspace)]);
  return [
    ...checkArrows(workspace),
    ...checkImports(workspace),
    ...checkManifests(workspace),
    ...checkPublicApi(workspace),
    ...(await slow).flat(),
  ];
}

if (process.argv[1] === import.meta.filename) {
  const startMs = performance.now();
  const problems = await checkHouse(join(import.meta.dirname, '..'));
  for (const problem of problems) console.log(`✗ ${problem}`);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const verdict = problems.length === 0 ? 'in order' : `${problems.length} problems`;
  console.log(`The house: ${verdict} (${seconds} s).`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
