/**
 * Tapes the traffic of the eval suite: from a simulated provider with the faults that the cases are about, or from the
 * real ones with `--live` (keys in the environment; the cases about faults then fail, as they should).
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { faults, SimulatedProvider, type SimulatedRequest } from '@synapsekit/testing';

const root = join(import.meta.dirname, '../../..');
const command = [join(root, 'packages/cli/src/bin.ts'), 'test', 'apps/demo/evals', '--rerecord'];

await using provider = await SimulatedProvider.start();
const asks =
  (text: string) =>
  ({ body }: SimulatedRequest): boolean =>
    JSON.stringify(body).includes(text);
provider.fail(faults.overloaded(), { provider: 'openai', where: asks('during an outage'), times: Infinity });
provider.fail(faults.rateLimited({ retryAfter: 0.05 }), { provider: 'groq', where: asks('capital of Peru') });

const live = process.argv.includes('--live');
const { CI: _, ...env } = process.env;
const child = spawn(process.execPath, command, {
  cwd: root,
  stdio: 'inherit',
  env: { ...env, ...(live ? {} : provider.env) },
});
process.exitCode = await new Promise<number>((resolve) => {
  child.on('exit', (code) => resolve(code ?? 1));
});
