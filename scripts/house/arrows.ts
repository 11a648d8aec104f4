import { runtimeDependencies, type Workspace } from './workspace.ts';

interface Exemption {
  readonly mayUse: readonly string[];
  readonly because: string;
}

/** Packages meet through interfaces in core. Whoever needs more is written down here, with the reason. */
const exemptions: Readonly<Record<string, Exemption>> = {
  cli: {
    mayUse: [
      'budget',
      'cost',
      'eval',
      'llm-groq',
      'llm-openai',
      'resilience',
      'router',
      'store-redis',
      'store-sqlite',
      'testing',
    ],
    because: 'its commands put the packages together for the user, and load them only when they run',
  },
};

/** Who may depend on whom. */
export function checkArrows({ manifest: root, members, packages }: Workspace): string[] {
  const problems: string[] = [];
  const shortNames = new Map(packages.map(({ manifest, shortName }) => [manifest.name, shortName]));
  const unpublished = new Set(members.filter(({ kind }) => kind !== 'packages').map((m) => m.manifest.name));

  for (const { folder, shortName, kind, manifest } of members) {
    const runtime = Object.keys(runtimeDependencies(manifest));
    const development = Object.keys(manifest.devDependencies ?? {});
    for (const name of [...runtime, ...development]) {
      if (unpublished.has(name)) problems.push(`${folder}: must not depend on ${name}: nobody depends on it`);
    }
    if (kind !== 'packages') continue;

    if (shortName === 'core') {
      for (const name of runtime)
        problems.push(`${folder}: must not depend on ${name}: core has no dependencies`);
    } else {
      const mayUse = ['core', ...(exemptions[shortName]?.mayUse ?? [])];
      for (const name of runtime) {
        const used = shortNames.get(name);
        if (used !== undefined && !mayUse.includes(used)) {
          problems.push(`${folder}: must not depend on ${name} (only on ${mayUse.join(', ')})`);
        }
      }
    }
    for (const name of development) {
      const used = shortNames.get(name);
      if (used === undefined || (used === 'testing' && shortName !== 'core')) continue;
      const rule =
        shortName === 'core' ? 'core uses no package, also not in tests' : 'in tests only on testing';
      problems.push(`${folder}: must not depend on ${name} (${rule})`);
    }
  }

  for (const name of Object.keys({ ...runtimeDependencies(root), ...root.devDependencies })) {
    if (unpublished.has(name))
      problems.push(`package.json: must not depend on ${name}: nobody depends on it`);
  }
  return problems;
}
