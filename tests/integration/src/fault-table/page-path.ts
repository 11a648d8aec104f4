import { join } from 'node:path';

/** Where the page lies. */
export const pagePath: string = join(import.meta.dirname, '../../../../docs/faults.md');
