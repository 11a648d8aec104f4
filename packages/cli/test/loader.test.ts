import { describe, test } from 'vitest';
import type { TestReport } from '../src/index.ts';
import { createSandbox } from './sandbox.ts';

/** A module that says on standard error that it runs. */
const told = (name: string, code: string): string => `console.error('runs: ${name}');\n${code}`;

describe('TypeScript as projects write it', { timeout: 120_000 }, () => {
  test('loads without a build, and every module runs once, by whatever names it is imported', async ({
    expect,
  }) => {
    using sandbox = createSandbox({
      'package.json': '{ "type": "module" }',
      'tsconfig.json':
        '{ "compilerOptions": { "paths": { "@lib/*": ["./lib/*"], "exact": ["./lib/plain.ts"] }, "jsx": "react-jsx" } }',
      'lib/plain.ts': told('plain', 'export const plain: number = 1;'),
      'lib/enum.ts': told(
        'enum',
        `import { plain } from './plain.js';\nexport enum Tier { Cheap = plain, Dear }\n`,
      ),
      'lib/folder/index.ts': told('index', 'export const inFolder = true as const;'),
      'lib/properties.ts': told(
        'properties',
        `export class Guard {\n  constructor(\n    public readonly limit: number,\n    private name = 'x',\n  ) {}\n  shown(): string { return this.name; }\n}\n`,
      ),
      'lib/space.ts': told('space', `export namespace Space { export const x = 3; }\n`),
      'lib/old.cts': told('old', `const value: number = 4;\nmodule.exports = { value };\n`),
      'lib/lazy.ts': told('lazy', `/**/ import { plain } from 'exact';\nexport const lazy = plain;`),
      'x.eval.ts': `
        import { evalCase } from '@synapsekit/eval';
        /**/ import { Tier } from '@lib/enum';
        import { Tier as Same } from './lib/enum.js';
        /**/ import { plain } from 'exact';
        import { inFolder } from './lib/folder';
        /**/ import { Guard } from '@lib/properties.ts';
        import { Space } from './lib/space';
        import old from './lib/old.cjs';
        export const all = evalCase('all', async ({ expect }) => {
          const { lazy } = await import(\`@lib/lazy.js\`);
          expect([Tier.Dear, Same === Tier, plain, inFolder, new Guard(2).limit, new Guard(2).shown(), Space.x, old.value, lazy])
            .toEqual([2, true, 1, true, 2, 'x', 3, 4, 1]);
        });
      `,
      'y.eval.ts': `import './lib/enum.ts'; export { all } from './x.eval.ts';`,
    });
    const { code, stdout, stderr } = await sandbox.run(['test', '--json']);
    const report = JSON.parse(stdout) as TestReport;
    expect(report.cases.map(({ name, status, error }) => [name, status, error?.message])).toEqual([
      ['all', 'passed', undefined],
    ]);
    const runs = [...stderr.matchAll(/runs: (\w+)/g)].map(([, name]) => name).sort();
    expect(runs).toEqual(['enum', 'index', 'lazy', 'old', 'plain', 'properties', 'space']);
    expect(code).toBe(0);
  });

  test('says nothing of a project whose package.json does not name a module type', async ({ expect }) => {
    using sandbox = createSandbox({
      'package.json': '{}',
      'lib.ts': 'export const plain: number = 1;',
      'old.ts': 'const value: number = 2;\nmodule.exports = { value };\n',
      'x.eval.ts': `
        import { evalCase } from '@synapsekit/eval';
        import { plain } from './lib.ts';
        import old from './old.ts';
        export const sums = evalCase('sums', ({ expect }) => expect(plain + old.value).toBe(3));
      `,
    });
    const { code, stdout, stderr } = await sandbox.run(['test']);
    expect(stderr).toBe('');
    expect(stdout).toContain('1 passed');
    expect(code).toBe(0);
  });

  test('says where errors are, exactly, also in files that had to be transformed', async ({ expect }) => {
    const throwing = `
export const thrower = (): never => {
  const message: string = 'here';
  throw new Error(message);
};
`;
    using sandbox = createSandbox({
      'package.json': '{ "type": "module" }',
      'stripped.ts': throwing,
      'transformed.ts': `enum Kind { A }\ntype Long = {\n  readonly a: number;\n};\n${throwing}\nexport const kind: Kind = Kind.A;\n`,
      'x.eval.ts': `
        import { evalCase } from '@synapsekit/eval';
        import { thrower } from './stripped.ts';
        import { thrower as other } from './transformed.ts';
        export const a = evalCase('a', () => thrower());
        export const b = evalCase('b', () => other());
      `,
      'y.eval.ts': `enum Kind { A }\nconst x: number = = 1;\nexport { x };\n`,
      'z.eval.ts': `import './gone';\n`,
      'w.eval.ts': `enum Kind { A }\nconsole.error('w runs');\nthrow new Error('at the top');\n`,
    });
    const { code, stdout, stderr } = await sandbox.run(['test']);
    expect(stdout).toContain(
      'Error: here\n    at thrower (stripped.ts:4:9)\n    at Object.run (x.eval.ts:5:46)',
    );
    expect(stdout).toMatch(
      /Error: here\n {4}at thrower \(transformed\.ts:8:9\)\n {4}at .*\(x\.eval\.ts:6:46\)/,
    );
    expect(stdout).toContain('at x.eval.ts:6:26\n  rerun: npx synapsekit test x.eval.ts:6\n');
    expect(stderr.replaceAll(sandbox.folder, '')).toMatch(
      /y\.eval\.ts could not be loaded:\n {2}SyntaxError: .*\n {4}\/?y\.eval\.ts:2\n {4}const x: number = = 1;\n +\^/,
    );
    expect(stderr).toMatch(/z\.eval\.ts could not be loaded:\n {2}Error: Cannot find module/);
    expect(stderr).toMatch(
      /w\.eval\.ts could not be loaded:\n {2}Error: at the top\n {4}at (?:<anonymous> \()?w\.eval\.ts:3:7/,
    );
    expect(stderr.match(/w runs/g)).toHaveLength(1);
    expect(code).toBe(2);
  });
});
