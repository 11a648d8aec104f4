import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import {
  type Comment,
  type ImportDeclarationSpecifier,
  type Node,
  parseSync,
  type Statement,
  visitorKeys,
} from 'oxc-parser';
import type { Member, Workspace } from './workspace.ts';

/** Stands for everything that a module exports, as one name: `* as name`. */
const whole = '*';

/** Where a name comes from: `name` of the module `from`, or of this one. */
interface Origin {
  readonly from: string | undefined;
  readonly name: string;
}

interface Module {
  /** Seen from the root. */
  readonly file: string;
  readonly text: string;
  readonly comments: readonly Comment[];
  /** What it declares at its top, exported or not; a function with overloads several times. */
  readonly declarations: ReadonlyMap<string, readonly Declaration[]>;
  /** What it exports, by the name outside. */
  readonly exports: ReadonlyMap<string, Origin>;
  /** Modules of which it exports everything. */
  readonly stars: readonly string[];
  readonly imports: ReadonlyMap<string, Origin>;
}

interface Declaration {
  readonly node: Node;
  /** Where the statement begins, `export` included. */
  readonly start: number;
}

/**
 * Everything that a package exports has a docstring, and nothing in its types is `any`: neither in what is exported, nor
 * in the types that this leads to. Sources are enough to see it, since `isolatedDeclarations` has every public type
 * written out.
 */
export function checkPublicApi({ root, packages }: Workspace): string[] {
  const read = moduleReader(root);
  return packages.flatMap((member) => {
    const problems: string[] = [];
    const seen = new Set<string>();
    const visit = (file: string, name: string, exported: boolean): void => {
      const key = `${file} ${name}`;
      if (seen.has(key)) return;
      seen.add(key);
      if (name === whole) {
        for (const each of exportsOf(read, file).values()) visit(each.file, each.name, exported);
        return;
      }
      const module = read(file);
      const found = module?.declarations.get(name) ?? [];
      const [first] = found;
      if (module === undefined || first === undefined) {
        const origin = module?.imports.get(name);
        const target = origin && resolveRelative(file, origin.from);
        const source = target === undefined ? undefined : namedBy(read, target, origin?.name ?? '');
        if (source !== undefined) visit(source.file, source.name, exported);
        return;
      }
      if (exported && !hasDocstring(module, first)) {
        problems.push(`${place(module, first.start)}: ${name} is exported and has no docstring`);
      }
      for (const { node } of found) {
        for (const part of signatureParts(node)) {
          if (part.type === 'TSAnyKeyword') {
            problems.push(`${place(module, part.start)}: the public type of ${name} has an any`);
          }
          const used = typeName(part);
          if (used !== undefined) visit(file, used, false);
        }
      }
    };
    const named = entries(member).flatMap((entry) => [...exportsOf(read, entry).values()]);
    for (const { file, name } of named) visit(file, name, true);
    return problems;
  });
}

/** The sources of what `exports` of the manifest names. */
function entries({ folder, manifest }: Member): string[] {
  const sources = Object.values(manifest.exports ?? {});
  return sources.flatMap((source) =>
    typeof source === 'string' && source.endsWith('.ts') ? [posix.join(folder, source)] : [],
  );
}

/** Where each export of a module is declared, through modules that pass it on. What other packages export is theirs. */
function exportsOf(
  read: (file: string) => Module | undefined,
  file: string,
  busy: ReadonlySet<string> = new Set(),
): Map<string, { readonly file: string; readonly name: string }> {
  const found = new Map<string, { readonly file: string; readonly name: string }>();
  const module = busy.has(file) ? undefined : read(file);
  if (module === undefined) return found;
  const inside = new Set([...busy, file]);
  for (const star of module.stars) {
    const target = resolveRelative(file, star);
    if (target === undefined) continue;
    for (const [name, origin] of exportsOf(read, target, inside)) {
      if (name !== 'default') found.set(name, origin); // a star leaves it out
    }
  }
  for (const [outer, { from, name }] of module.exports) {
    if (from === undefined) {
      found.set(outer, { file, name });
      continue;
    }
    const target = resolveRelative(file, from);
    const origin = target === undefined ? undefined : namedBy(read, target, name, inside);
    if (origin !== undefined) found.set(outer, origin);
  }
  return found;
}

/** Where what another module knows as `name` of this one is declared. */
function namedBy(
  read: (file: string) => Module | undefined,
  file: string,
  name: string,
  busy?: ReadonlySet<string>,
): { readonly file: string; readonly name: string } | undefined {
  return name === whole ? { file, name } : exportsOf(read, file, busy).get(name);
}

function resolveRelative(file: string, specifier: string | undefined): string | undefined {
  return specifier?.startsWith('.') ? posix.join(dirname(file), specifier) : undefined;
}

/** Reads each module once; `undefined` for one that does not exist. */
function moduleReader(root: string): (file: string) => Module | undefined {
  const modules = new Map<string, Module | undefined>();
  return (file) => {
    if (!modules.has(file)) {
      const path = join(root, file);
      modules.set(file, existsSync(path) ? readModule(file, readFileSync(path, 'utf8')) : undefined);
    }
    return modules.get(file);
  };
}

function readModule(file: string, text: string): Module {
  const { program, comments } = parseSync(file, text);
  const declarations = new Map<string, Declaration[]>();
  const exports = new Map<string, Origin>();
  const imports = new Map<string, Origin>();
  const stars: string[] = [];
  const declare = (node: Node, start: number): string[] => {
    const names = declaredNames(node);
    for (const name of names) declarations.set(name, [...(declarations.get(name) ?? []), { node, start }]);
    return names;
  };
  for (const statement of program.body as Statement[]) {
    if (statement.type === 'ImportDeclaration') {
      for (const specifier of statement.specifiers) {
        imports.set(specifier.local.name, { from: statement.source.value, name: importedName(specifier) });
      }
    } else if (statement.type === 'ExportAllDeclaration') {
      const { exported, source } = statement;
      if (exported === null) stars.push(source.value);
      else exports.set(nameOf(exported), { from: source.value, name: whole });
    } else if (statement.type === 'ExportDefaultDeclaration') {
      const { declaration, start } = statement;
      const [name = declaration.type === 'Identifier' ? declaration.name : 'default'] = declare(
        declaration,
        start,
      );
      if (name === 'default') declarations.set(name, [{ node: declaration, start }]);
      exports.set('default', { from: undefined, name });
    } else if (statement.type === 'ExportNamedDeclaration') {
      const { declaration, source, specifiers } = statement;
      const names = declaration === null ? [] : declare(declaration, statement.start);
      for (const name of names) exports.set(name, { from: undefined, name });
      for (const { local, exported } of specifiers) {
        exports.set(nameOf(exported), { from: source?.value, name: nameOf(local) });
      }
    } else {
      declare(statement, statement.start);
    }
  }
  return { file, text, comments, declarations, exports, stars, imports };
}

function importedName(specifier: ImportDeclarationSpecifier): string {
  if (specifier.type === 'ImportSpecifier') return nameOf(specifier.imported);
  return specifier.type === 'ImportDefaultSpecifier' ? 'default' : whole;
}

function nameOf(name: { readonly name: string } | { readonly value: string }): string {
  return 'name' in name ? name.name : name.value;
}

function declaredNames(node: Node): string[] {
  switch (node.type) {
    case 'FunctionDeclaration':
    case 'TSDeclareFunction':
    case 'ClassDeclaration':
      return node.id === null ? [] : [node.id.name];
    case 'TSInterfaceDeclaration':
    case 'TSTypeAliasDeclaration':
    case 'TSEnumDeclaration':
      return [node.id.name];
    case 'VariableDeclaration':
      return node.declarations.flatMap(({ id }) => (id.type === 'Identifier' ? [id.name] : []));
    default:
      return [];
  }
}

/** Whether a docstring ends where the declaration begins. */
function hasDocstring({ text, comments }: Module, { start }: Declaration): boolean {
  return comments.some(
    ({ type, value, end }) =>
      type === 'Block' && value.startsWith('*') && end <= start && text.slice(end, start).trim() === '',
  );
}

/** The nodes that a user of a declaration sees: no bodies, nothing private. */
function* signatureParts(node: Node): Generator<Node> {
  if (isHidden(node)) return;
  yield node;
  for (const key of visitorKeys[node.type] ?? []) {
    if (key === 'body' && hasCode(node)) continue;
    // The type that is written down is the one that counts.
    if ((key === 'init' || key === 'value') && hasAnnotation(node)) continue;
    const child = (node as unknown as Record<string, unknown>)[key];
    for (const one of Array.isArray(child) ? child : [child]) {
      if (typeof one === 'object' && one !== null && 'type' in one) yield* signatureParts(one as Node);
    }
  }
}

function hasCode({ type }: Node): boolean {
  return (
    type === 'FunctionDeclaration' || type === 'FunctionExpression' || type === 'ArrowFunctionExpression'
  );
}

function hasAnnotation(node: Node): boolean {
  if (node.type === 'VariableDeclarator')
    return 'typeAnnotation' in node.id && Boolean(node.id.typeAnnotation);
  return node.type === 'PropertyDefinition' && Boolean(node.typeAnnotation);
}

function isHidden(node: Node): boolean {
  if (node.type === 'StaticBlock') return true;
  if (node.type !== 'PropertyDefinition' && node.type !== 'MethodDefinition') return false;
  return node.key.type === 'PrivateIdentifier' || node.accessibility === 'private';
}

/** The type, class or base that a node names. */
function typeName(node: Node): string | undefined {
  if (node.type === 'TSTypeReference')
    return node.typeName.type === 'Identifier' ? node.typeName.name : undefined;
  if (node.type === 'TSTypeQuery')
    return node.exprName.type === 'Identifier' ? node.exprName.name : undefined;
  if (node.type === 'TSInterfaceHeritage' || node.type === 'TSClassImplements') {
    return node.expression.type === 'Identifier' ? node.expression.name : undefined;
  }
  if (node.type === 'ClassDeclaration') {
    return node.superClass?.type === 'Identifier' ? node.superClass.name : undefined;
  }
  return undefined;
}

function place({ file, text }: Module, offset: number): string {
  return `${file}:${text.slice(0, offset).split('\n').length}`;
}
