/** `pnpm docs:faults`: writes docs/faults.md from the fault table. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { faultGroups } from './fault-cases.ts';
import { faultPage } from './fault-page.ts';
import { pagePath } from './page-path.ts';

mkdirSync(dirname(pagePath), { recursive: true });
writeFileSync(pagePath, faultPage(faultGroups));
console.log('docs/faults.md is written.');
