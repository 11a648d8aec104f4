import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkHouse } from './check-house.ts';
import { blocksOf, matchesOutput } from './house/documents.ts';
import { importsOf } from './house/imports.ts';
import { checkPublicApi } from './house/public-api.ts';
import { readWorkspace } from './house/workspace.ts';

type Json = Record<string, unknown>;

const repository = join(import.meta.dirname, '..');
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'synapsekit-house-'));
  execFileSync('git', ['init', '--quiet'], { cwd: root });
  cpSync(join(repository, 'tsconfig.base.json'), join(root, 'tsconfig.base.json'));
  symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'), 'junction');
  write('.gitignore', 'node_modules\n.house\n');
  write('package.json', { name: 'workspace', private: true, devDependencies: { vitest: 'catalog:' } });
  addPackage('core');
  addPackage('testing', { dependencies: { '@synapsekit/core': 'workspace:^' } });
  addPackage('cost', {
    dependencies: { '@synapsekit/core': 'workspace:^' },
    devDependencies: { '@synapsekit/testing': 'workspace:^', 'gpt-tokenizer': 'catalog:' },
  });
  addPackage('cli', {
    dependencies: { '@synapsekit/core': 'workspace:^', '@synapsekit/cost': 'workspace:^' },
  });
  write('apps/demo/package.json', {
    name: '@synapsekit/demo',
    private: true,
    dependencies: { '@synapsekit/cost': 'workspace:*' },
  });
  write('apps/demo/src/main.ts', "import { one } from '@synapsekit/cost';\nconsole.log(one);\n");
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function write(path: string, content: string | Json): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content, null, 2));
}

function edit(path: string, change: (manifest: Json) => void): void {
  const manifest = JSON.parse(readFileSync(join(root, path), 'utf8'));
  change(manifest);
  write(path, manifest);
}

function addPackage(name: string, more: Json = {}): void {
  const folder = `packages/${name}`;
  write(`${folder}/README.md`, `# @synapsekit/${name}\n`);
  write(`${folder}/src/index.ts`, "export { one } from './one.ts';\n");
  write(`${folder}/src/one.ts`, '/** A number. */\nexport const one = 1;\n');
  write(`${folder}/package.json`, {
    name: `@synapsekit/${name}`,
    version: '0.1.0',
    description: 'A package',
    license: 'MIT',
    repository: {
      type: 'git',
      url: 'git+https://github.com/synapsekit/synapsekit-js.git',
      directory: folder,
    },
    type: 'module',
    sideEffects: false,
    engines: { node: '>=22.18.0' },
    files: ['dist', 'src', '!src/**/*.test.ts', '!src/**/*.test-d.ts'],
    exports: { '.': './src/index.ts', './package.json': './package.json' },
    publishConfig: {
      access: 'public',
      provenance: true,
      exports: {
        '.': { types: './dist/index.d.ts', default: './dist/index.js' },
        './package.json': './package.json',
      },
    },
    scripts: { build: 'tsup' },
    ...more,
  });
}

/** Puts text blocks under the heading of cost's README; `#` at the start of a line stands for a fence. */
function document(text: string): void {
  write('packages/cost/README.md', `# @synapsekit/cost\n\n${text.replaceAll(/^#/gm, '```')}\n`);
}

test('finds nothing in a house that is in order', async () => {
  expect(await checkHouse(root)).toEqual([]);
});

describe('arrows', () => {
  const depend = (folder: string, group: string, name: string, range = 'workspace:^'): void =>
    edit(`${folder}/package.json`, (manifest) => {
      manifest[group] = { ...(manifest[group] as Json | undefined), [name]: range };
    });

  test.each([
    ['dependencies', 'packages/cost', '@synapsekit/testing'],
    ['peerDependencies', 'packages/cost', '@synapsekit/cli'],
    ['dependencies', 'packages/core', '@synapsekit/cost'],
    ['dependencies', 'packages/core', 'gpt-tokenizer'],
    ['devDependencies', 'packages/core', '@synapsekit/testing'],
    ['devDependencies', 'packages/cost', '@synapsekit/cli'],
    ['dependencies', 'packages/cli', '@synapsekit/demo'],
  ])('refuses in %s of %s: %s', async (group, folder, name) => {
    depend(folder, group, name, name.startsWith('@') ? 'workspace:^' : '^4.0.0');
    expect(await checkHouse(root)).toContainEqual(
      expect.stringContaining(`${folder}: must not depend on ${name}`),
    );
  });

  test('refuses an app as a dependency of the root', async () => {
    edit('package.json', (manifest) => {
      manifest.devDependencies = { '@synapsekit/demo': 'workspace:*' };
    });
    expect(await checkHouse(root)).toEqual([expect.stringContaining('must not depend on @synapsekit/demo')]);
  });
});

describe('imports', () => {
  test.each([
    ["import { z } from 'zod';", 'imports zod, which its package.json does not declare'],
    ["import type { z } from 'zod/v4';", 'imports zod/v4'],
    ["import {\n  a,\n  b,\n} from 'zod';", 'imports zod'],
    ["import 'zod';", 'imports zod'],
    ["export * from 'zod';", 'imports zod'],
    ["export const load = () => import('zod');", 'imports zod'],
    ["export type Z = import('zod').Z;", 'imports zod'],
    [
      "import { encode } from 'gpt-tokenizer';",
      'gpt-tokenizer, which its package.json does not declare (only for',
    ],
    ["import { test } from 'vitest';", 'imports vitest'],
    ["import { readFileSync } from 'fs';", 'imports fs; write node:fs'],
    ["import { one } from '../../core/src/one.ts';", 'lies outside of its package'],
  ])('refuses %j in a source', async (code, message) => {
    write('packages/cost/src/two.ts', `${code}\n`);
    expect(await checkHouse(root)).toEqual([expect.stringContaining(message)]);
  });

  test('allows in a test what the package or the root has for development', async () => {
    const imports = [
      'gpt-tokenizer',
      'vitest',
      '@synapsekit/testing',
      '@synapsekit/cost',
      'node:fs',
      './one.ts',
    ];
    const code = imports.map((name) => `import '${name}';\n`).join('');
    write('packages/cost/src/two.test.ts', code);
    write('packages/cost/test/three.test.ts', code.replace('./one.ts', '../src/one.ts'));
    expect(await checkHouse(root)).toEqual([]);
  });

  test('refuses in a test what nobody declares', async () => {
    write('packages/cost/src/two.test.ts', "import 'zod';\n");
    expect(await checkHouse(root)).toEqual([expect.stringContaining('two.test.ts: imports zod')]);
  });

  test('looks into apps too', async () => {
    write('apps/demo/src/main.ts', "import '@synapsekit/cli';\n");
    expect(await checkHouse(root)).toEqual([expect.stringContaining('imports @synapsekit/cli')]);
  });

  test('does not take comments for imports', () => {
    const code =
      "/**\n * import 'a';\n * await import('b')\n */\n// import('c')\nArray.from('d');\nimport 'e';\n";
    expect(importsOf(code)).toEqual(['e']);
  });
});

describe('manifests', () => {
  test.each<[string, (manifest: Json) => void]>([
    ['license must be "MIT"', (m) => delete m.license],
    ['name must be "@synapsekit/cost"', (m) => Object.assign(m, { name: '@synapsekit/costs' })],
    ['version is missing', (m) => delete m.version],
    ['description is missing', (m) => delete m.description],
    ['sideEffects must be false', (m) => delete m.sideEffects],
    ['type must be "module"', (m) => delete m.type],
    ['engines.node must be', (m) => Object.assign(m, { engines: { node: '>=20' } })],
    ['files must be', (m) => Object.assign(m, { files: ['dist'] })],
    ['scripts.build is missing', (m) => delete m.scripts],
    ['private does not go with packages/', (m) => Object.assign(m, { private: true })],
    [
      'repository.directory must be "packages/cost"',
      (m) => Object.assign(m.repository as Json, { directory: 'packages/core' }),
    ],
    ['publishConfig.provenance must be true', (m) => delete (m.publishConfig as Json).provenance],
    ['publishConfig.access must be "public"', (m) => delete (m.publishConfig as Json).access],
    ['exports["./package.json"] is missing', (m) => delete (m.exports as Json)['./package.json']],
    [
      'publishConfig.exports["./one"] must be {"types":"./dist/one.d.ts","default":"./dist/one.js"}',
      (m) => Object.assign(m.exports as Json, { './one': './src/one.ts' }),
    ],
    [
      'scripts.build does not build src/one.ts',
      (m) => Object.assign(m.exports as Json, { './one': './src/one.ts' }),
    ],
    ['exports["./two"] names', (m) => Object.assign(m.exports as Json, { './two': './src/two.ts' })],
    [
      'publishConfig.exports["./two"] is not in exports',
      (m) => Object.assign((m.publishConfig as Json).exports as Json, { './two': './dist/two.js' }),
    ],
    [
      'publishConfig.bin.cost must be "./dist/one.js"',
      (m) => Object.assign(m, { bin: { cost: './src/one.ts' } }),
    ],
    [
      'openai: write the range out, it is published',
      (m) => Object.assign(m, { peerDependencies: { openai: 'catalog:' } }),
    ],
    [
      'gpt-tokenizer in devDependencies must be "catalog:"',
      (m) => Object.assign(m.devDependencies as Json, { 'gpt-tokenizer': '^4.0.0' }),
    ],
    [
      '@synapsekit/core must be "workspace:^"',
      (m) => Object.assign(m.dependencies as Json, { '@synapsekit/core': '^0.1.0' }),
    ],
    ['names openai, which is no peer', (m) => Object.assign(m, { peerDependenciesMeta: { openai: {} } })],
  ])('says: %s', async (message, change) => {
    edit('packages/cost/package.json', change);
    expect(await checkHouse(root)).toContainEqual(expect.stringContaining(message));
  });

  test('refuses two ranges of one dependency', async () => {
    edit('packages/cost/package.json', (manifest) => {
      manifest.peerDependencies = { openai: '^7.0.0' };
    });
    edit('packages/cli/package.json', (manifest) => {
      manifest.peerDependencies = { openai: '^6.0.0' };
    });
    expect(await checkHouse(root)).toEqual([
      'packages: the ranges of openai differ: ^6.0.0 in cli; ^7.0.0 in cost',
    ]);
  });

  test('refuses logic in an index, and nothing else', async () => {
    const exportsOnly =
      "/** All. */\nexport * from './one.ts';\nexport type {\n  A, // a\n} from './a.ts';\nexport {};\n";
    write('packages/core/src/index.ts', exportsOnly);
    write('packages/cost/src/index.ts', `${exportsOnly}/** Two. */ export const two = 2;\n`);
    expect(await checkHouse(root)).toEqual([
      'packages/cost: src/index.ts holds more than exports: export const two = 2;',
    ]);
  });
});

describe('documents', () => {
  test('asks for a README that opens with the name', async () => {
    write('packages/cost/README.md', '# Cost\n');
    rmSync(join(root, 'packages/core/README.md'));
    expect(await checkHouse(root)).toEqual([
      'packages/core/README.md: is missing',
      'packages/cost/README.md: must open with "# @synapsekit/cost"',
    ]);
  });

  test('compiles blocks against the sources and points to the line of the document', async () => {
    document("#ts\nimport { one } from '@synapsekit/cost';\n\nconst text: string = one;\n#");
    write(
      'docs/guide.md',
      "```ts\nimport { two } from '@synapsekit/core';\n```\n\n```js\nnot checked\n```\n",
    );
    expect(await checkHouse(root)).toEqual([
      expect.stringMatching(/^docs\/guide\.md:2: does not compile: TS2305: .* no exported member 'two'/),
      expect.stringMatching(/^packages\/cost\/README\.md:6: does not compile: TS2322: /),
    ]);
  });

  test('uses the strict flags', async () => {
    document("#ts\nconst first: string = ['a'][0];\n#");
    expect(await checkHouse(root)).toEqual([
      expect.stringContaining('README.md:4: does not compile: TS2322'),
    ]);
  });

  test('runs what is marked, without the keys of a provider, and compares what it prints', async () => {
    process.env.OPENAI_API_KEY = 'secret';
    try {
      document(
        "#ts run\nimport { one } from '@synapsekit/cost';\nconsole.log(one);\n#\n\n#text\n1\n#\n\n" +
          '#ts run\nconsole.log(process.env.OPENAI_API_KEY, performance.now());\n#\n#console\nundefined …\n#\n\n' +
          "#ts\nthrow new Error('only compiled');\n#",
      );
      expect(await checkHouse(root)).toEqual([]);
    } finally {
      delete process.env.OPENAI_API_KEY;
    }
  });

  test('says which run fails and which prints something else', async () => {
    document("#ts run\nconsole.log(1);\n#\n\n#text\n2\n#\n\n#ts run\nthrow new Error('no');\n#");
    expect(await checkHouse(root)).toEqual([
      'packages/cost/README.md:3: prints something else than the block below it:\n1',
      expect.stringMatching(/README\.md:11: does not run:\n.*README\.md:12\n[\s\S]*Error: no/),
    ]);
  });

  test('takes an output block only from directly below', () => {
    const found = blocksOf(
      'a.md',
      '```ts run\n1;\n```\nIt prints:\n```text\n1\n```\n- x\n  ```ts\n  f(\n    2);\n  ```\n',
    );
    expect(found).toEqual([
      { document: 'a.md', line: 1, code: '1;', runs: true },
      { document: 'a.md', line: 9, code: 'f(\n  2);', runs: false },
    ]);
  });

  test.each([
    ['a\nb\n', 'a\nb', true],
    ['a 12 ms (x)', 'a … ms (x)', true],
    ['a\nb', 'a', false],
    ['ab\nc', 'a…c', false],
    ['axb', 'a.b', false],
  ])('%j against %j: %j', (actual, expected, verdict) => {
    expect(matchesOutput(actual, expected)).toBe(verdict);
  });
});

describe('places', () => {
  // Put together here, so that this file does not name one itself.
  test.each([
    ['an absolute path', ['', 'home', 'someone', 'x.ts'].join('/')],
    ['an absolute path', `file://${['', 'Users', 'someone'].join('/')}`],
    ['a registry host', ['https://registry', 'npmjs', 'org/x'].join('.')],
    ['a registry host', ['registry', 'anything.example'].join('=')],
  ])('refuses %s in a file that may be committed', async (what, text) => {
    write('notes.txt', `first\n${text}\n`);
    expect(await checkHouse(root)).toEqual([expect.stringContaining(`notes.txt:2: names ${what}: `)]);
  });

  test('leaves alone what git ignores, links and folders of that name', async () => {
    write('.gitignore', 'node_modules\n.house\n*.log\n');
    write('notes.log', ['', 'home', 'someone'].join('/'));
    write('notes.txt', 'https://example.com/home/x packages/work/x ./opt/x ~/work/x\n');
    expect(await checkHouse(root)).toEqual([]);
  });
});

describe('the public API', () => {
  /** What is said of a package with this source, which its index exports in full. */
  const problemsOf = (source: string, index = "export * from './two.ts';\n"): string[] => {
    write('packages/cost/src/index.ts', index);
    write('packages/cost/src/two.ts', source);
    return checkPublicApi(readWorkspace(root));
  };
  const any = (line: number, name: string, file = 'two') =>
    `packages/cost/src/${file}.ts:${line}: the public type of ${name} has an any`;

  test.each([
    ['a constant', 'export const a = 1;'],
    ['a function', 'export function a(): void {}'],
    ['a class', 'export class a {}'],
    ['a type', 'export type a = string;'],
    ['an interface', '\nexport interface a {}'],
    ['one that is exported later', 'const a = 1;\nexport { a };'],
    ['one behind a comment that is no docstring', '/* a */ export const a = 1;'],
    ['one behind the docstring of another', '/** b */\nconst b = 1;\nexport const a = b;'],
    ['an enum', 'export enum a { b }'],
    ['a constant enum', 'export const enum a { b = 1 }'],
  ])('refuses %s without a docstring', (_, source) => {
    expect(problemsOf(source)).toEqual([
      expect.stringMatching(/^packages\/cost\/src\/two\.ts:\d: a is exported and has no docstring$/),
    ]);
  });

  test('asks nothing of what is not exported, of overloads after the first, and of other packages', () => {
    const source = `import { type LLM } from '@synapsekit/core';
      interface Inner { a: string }
      /** a */
      export function a(value: string): Inner;
      export function a(value: number): Inner;
      export function a(value: unknown): Inner { return { a: String(value) }; }
      export type { LLM };`;
    expect(problemsOf(source)).toEqual([]);
    expect(problemsOf('export const unseen = 1;', "export { one } from './one.ts';\n")).toEqual([]);
  });

  test('finds what is exported under another name, by another file', () => {
    write('packages/cost/src/three.ts', "import { a } from './two.ts';\nexport { a as c };\n");
    expect(problemsOf('export const a = 1;', "export { c as d } from './three.ts';\n")).toHaveLength(1);
  });

  test.each([
    ['a function', 'export default function a(): void {}', 'a'],
    ['a function without a name', 'export default function (): void {}', 'default'],
    ['a class', 'export default class a {}', 'a'],
    ['an interface', 'export default interface a {}', 'a'],
    ['a name', 'const a = 1;\nexport default a;', 'a'],
    ['an object', 'export default { a: 1 };', 'default'],
  ])('finds a default export: %s', (_, source, name) => {
    const says = [expect.stringMatching(new RegExp(`two\\.ts:1: ${name} is exported and has no docstring$`))];
    expect(problemsOf(source, "export { default } from './two.ts';\n")).toEqual(says);
    expect(problemsOf(source, "export { default as b } from './two.ts';\n")).toEqual(says);
    expect(problemsOf(source, "import b from './two.ts';\nexport { b };\n")).toEqual(says);
    expect(problemsOf(source, "export * as b from './two.ts';\n")).toEqual(says);
    expect(
      problemsOf(
        `/** */ ${source.replace('export', '/** */ export')}`,
        "export { default } from './two.ts';\n",
      ),
    ).toEqual([]);
    // A star leaves it out.
    expect(problemsOf(source)).toEqual([]);
  });

  test('finds what is exported as a part of a name, also of one that is passed on', () => {
    const source = 'export const a = 1;\n/** */ export const b: any = 1;';
    const says = [expect.stringContaining('two.ts:1: a is exported and has no docstring'), any(2, 'b')];
    write(
      'packages/cost/src/three.ts',
      "export * as parts from './two.ts';\nexport * as self from './three.ts';\n",
    );
    for (const index of [
      "export * as parts from './two.ts';\n",
      "import * as parts from './two.ts';\nexport { parts };\n",
      "export { parts as c } from './three.ts';\n",
      "import { parts } from './three.ts';\nexport { parts };\n",
      "export * from './three.ts';\n",
      "export * as all from './three.ts';\n",
    ]) {
      expect(problemsOf(source, index), index).toEqual(says);
    }
    expect(problemsOf(source, "export * as z from '@synapsekit/core';\n")).toEqual([]);
  });

  test.each([
    ['a default export', '/** */ export default function a(value: any): void {}', 'a'],
    ['a default export without a name', '/** */ export default { b: 1 as any };', 'default'],
  ])('refuses any in %s', (_, source, name) => {
    expect(problemsOf(source, "export { default } from './two.ts';\n")).toEqual([any(1, name)]);
  });

  test.each([
    ['a parameter', '/** */ export function a(value: any): void {}'],
    ['a result', '/** */ export const a = (): Promise<any> => b();'],
    ['a member', '/** */ export interface a { b?: any[] }'],
    ['a method of a class', '/** */ export class a { b(c: Map<string, any>): void {} }'],
    ['a field of a class', '/** */ export class a { b: any; }'],
    ['a constant', '/** */ export const a: any = 1;'],
    ['a cast without a type beside it', '/** */ export const a = b as any;'],
    ['a bound of a type parameter', '/** */ export type a<T extends any[]> = T;'],
  ])('refuses any in %s', (_, source) => {
    expect(problemsOf(source)).toEqual([any(1, 'a')]);
  });

  test('sees no any in bodies, in private members and behind a written type', () => {
    const source = `/** */ export class a {
        #b: any;
        private c: any;
        #d(e: any): any { return e; }
        f(g: string): number { return (g as any).length; }
        h: string = this.#b as any;
        static { const i: any = 1; }
      }
      /** */ export const j: number = JSON.parse('1') as any;`;
    expect(problemsOf(source)).toEqual([]);
  });

  test('follows types that are not exported, into other files and base classes', () => {
    write('packages/cost/src/three.ts', 'export interface Deep {\n  a: any;\n}\n');
    const source = `import type { Deep as D } from './three.ts';
      type Near = { deep: D; near: Near };
      class Base { b: any; }
      /** */ export class a extends Base { c: Near[] = []; }`;
    expect(problemsOf(source).sort()).toEqual([any(2, 'Deep', 'three'), any(3, 'Base')]);
  });
});
