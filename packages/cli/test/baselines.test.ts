import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { createSandbox } from './sandbox.ts';

const two = `
  import { evalCase } from '@synapsekit/eval';
  export const one = evalCase('one', ({ expect }) => expect(1).toBe(1));
  export const two = evalCase('two', ({ expect }) => expect(1).toBe(1));
`;

describe('--save-baseline', { timeout: 120_000 }, () => {
  test('keeps the good one unless everything was selected and loaded', async ({ expect }) => {
    using sandbox = createSandbox({ 'x.eval.ts': two });
    const baseline = (): string =>
      readFileSync(join(sandbox.folder, '.synapsekit/baselines/main.json'), 'utf8');
    const save = ['test', '--save-baseline', 'main'];
    expect((await sandbox.run(save)).code).toBe(0);
    const good = baseline();
    expect(good).toContain('"two"');
    for (const part of [
      ['-t', 'one'],
      ['--tag', '!x'],
      ['--shard', '1/2'],
      ['--only-failed'],
      ['x.eval.ts:3'],
    ]) {
      const { code, stdout, stderr } = await sandbox.run([...save, ...part]);
      expect(stderr, part[0]).toContain('--save-baseline needs a run of all cases');
      expect([code, stdout], part[0]).toEqual([2, '']);
    }
    const refused = async (file: string, why: string): Promise<void> => {
      writeFileSync(join(sandbox.folder, 'x.eval.ts'), file);
      const { code, stderr } = await sandbox.run(save);
      expect(stderr).toContain(`The baseline "main" was not saved: ${why}`);
      expect(code, why).toBe(2);
      expect(baseline(), why).toBe(good);
    };
    await refused('export const x = = 1;', 'not every file could be used.');
    await refused(two.replace("evalCase('one'", "evalCase.only('one'"), 'some cases are marked "only".');
    await refused(two.replaceAll("evalCase('", "evalCase.skip('"), 'no case ran.');
    // A folder is all of something: `--compare` with it is asked for the same way.
    writeFileSync(join(sandbox.folder, 'x.eval.ts'), two);
    expect((await sandbox.run([...save, 'x.eval.ts'])).code).toBe(0);
  });
});
