import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { capture, mapLimited } from '../shell.ts';
import { runtimeDependencies, type Workspace } from './workspace.ts';

interface Block {
  readonly document: string;
  /** The line of the opening fence, from 1. */
  readonly line: number;
  readonly code: string;
  readonly runs: boolean;
  /** What a run has to print. */
  readonly output?: string;
}

const runTimeoutMs = 60_000;

/** What the documents show is true: their code compiles, and code marked as run prints what stands below it. */
export async function checkDocuments(workspace: Workspace): Promise<string[]> {
  const { root, packages } = workspace;
  const headings = packages.flatMap(({ folder, manifest }) => {
    const path = join(root, folder, 'README.md');
    if (!existsSync(path)) return [`${folder}/README.md: is missing`];
    const [first] = readFileSync(path, 'utf8').split('\n');
    return first === `# ${manifest.name}` ? [] : [`${folder}/README.md: must open with "# ${manifest.name}"`];
  });

  const paths = globSync(['README.md', '{packages,apps}/*/README.md', 'docs/*.md', 'CONTRIBUTING.md'], {
    cwd: root,
  }).sort();
  const blocks = paths.flatMap((path) => {
    const document = path.replaceAll('\\', '/');
    return blocksOf(document, readFileSync(join(root, path), 'utf8'));
  });
  if (blocks.length === 0) return headings;

  mkdirSync(join(root, '.house'), { recursive: true });
  const folder = mkdtempSync(join(root, '.house/blocks-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
    linkPackages(workspace, join(folder, 'node_modules'));
    const files = new Map(blocks.map((block) => [writeBlock(folder, block), block]));
    const compiled = compile(root, folder, files);
    const running = [...files].filter(([, { runs }]) => runs);
    const ran = await mapLimited(running, Math.min(4, availableParallelism()), ([file, block]) =>
      runBlock(folder, file, block),
    );
    return [...headings, ...(await compiled), ...ran.flat()];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The `ts` blocks of a Markdown text, with the `text` or `console` block that directly follows each. */
export function blocksOf(document: string, markdown: string): Block[] {
  const fenced = /^([ \t]*)(`{3,})([^`\n]*)\n(?:([\s\S]*?)\n)??\1\2[ \t]*$/gm;
  const all = [...markdown.matchAll(fenced)].map((match) => {
    const [whole, indent = '', , info = '', body = ''] = match;
    const lines = body
      .split('\n')
      .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
    const [language, ...words] = info.trim().split(/\s+/);
    return { language, words, code: lines.join('\n'), start: match.index, end: match.index + whole.length };
  });
  return all.flatMap(({ language, words, code, start, end }, index) => {
    if (language !== 'ts') return [];
    const next = all[index + 1];
    const isOutput = next?.language === 'text' || next?.language === 'console';
    const follows = isOutput && markdown.slice(end, next.start).trim() === '';
    const line = markdown.slice(0, start).split('\n').length;
    return [{ document, line, code, runs: words.includes('run'), ...(follows ? { output: next.code } : {}) }];
  });
}

/** Whether `actual` is `expected`, in which `…` stands for any text within its line. */
export function matchesOutput(actual: string, expected: string): boolean {
  const actualLines = actual.trimEnd().split('\n');
  const expectedLines = expected.trimEnd().split('\n');
  return (
    actualLines.length === expectedLines.length &&
    expectedLines.every((line, index) => {
      const parts = line
        .trimEnd()
        .split('…')
        .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
      return new RegExp(`^${parts.join('.*')}$`, 'u').test(actualLines[index]?.trimEnd() ?? '');
    })
  );
}

/** Lays out what a reader has who installed everything: our packages from source, and all they use. */
function linkPackages({ root, packages }: Workspace, target: string): void {
  const link = (name: string, folder: string): void => {
    const path = join(target, name);
    if (existsSync(path) || !existsSync(folder)) return;
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(realpathSync(folder), path, 'junction');
  };
  for (const { folder, manifest } of packages) link(manifest.name, join(root, folder));
  for (const { folder, manifest } of packages) {
    const names = Object.keys({ ...runtimeDependencies(manifest), ...manifest.devDependencies });
    for (const name of names) link(name, join(root, folder, 'node_modules', name));
  }
}

/** Writes a block on the lines it has in its document, so that every message points there. */
function writeBlock(folder: string, { document, line, code }: Block): string {
  const file = `${document.replaceAll(/[^\w-]+/g, '-')}-${line}.ts`;
  writeFileSync(join(folder, file), `${'\n'.repeat(line)}${code}\nexport {};\n`);
  return file;
}

async function compile(root: string, folder: string, files: ReadonlyMap<string, Block>): Promise<string[]> {
  const config = {
    extends: '../../tsconfig.base.json',
    compilerOptions: { declaration: false, isolatedDeclarations: false }, // examples are not published
    files: [...files.keys()],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { ok, stdout, stderr } = await capture(process.execPath, [tsc, '-p', '.', '--pretty', 'false'], {
    cwd: folder,
  });
  if (ok) return [];
  const messages = [...stdout.matchAll(/^(\S.*?)\((\d+),\d+\): error (.*(?:\n[ \t]+.*)*)/gm)];
  if (messages.length === 0) return [`tsc: ${stdout}${stderr}`.trim()];
  return messages.flatMap(([, file = '', line, message]) => {
    const block = files.get(file);
    return block === undefined ? [] : [`${block.document}:${line}: does not compile: ${message}`]; // else not ours
  });
}

async function runBlock(folder: string, file: string, { document, line, output }: Block): Promise<string[]> {
  const keys = Object.entries(process.env).filter(([name]) => !/^(OPENAI|GROQ)_/.test(name));
  const env = Object.fromEntries(keys) as Record<string, string>;
  const outcome = await capture(process.execPath, [file], { cwd: folder, env, timeoutMs: runTimeoutMs });
  const where = `${document}:${line}`;
  if (!outcome.ok) {
    const path = join(folder, file);
    const message = outcome.stderr.replaceAll(pathToFileURL(path).href, document).replaceAll(path, document);
    return [`${where}: does not run:\n${message.trim()}`];
  }
  if (output === undefined || matchesOutput(outcome.stdout, output)) return [];
  return [`${where}: prints something else than the block below it:\n${outcome.stdout.trimEnd()}`];
}
