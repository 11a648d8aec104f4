import { registerHooks, syncBuiltinESMExports } from 'node:module';
import type { Serializable, WorkerOptions } from 'node:worker_threads';
import { preloadOption, type RelayAddress, relayVariable } from './address.ts';

/** How something is started: while the starter goes on, or so that it waits and hears nothing. */
export type Start = 'going-on' | 'waiting';

/** Where what is started now finds the boundary; `undefined` where it is left alone. */
export type AddressOf = (start: Start) => RelayAddress | undefined;

// biome-ignore lint/complexity/noBannedTypes: whatever stands there is called as it was
type AnyFunction = Function;

type Env = Readonly<Record<string, string | undefined>>;

/** Modules of Node that start processes or threads, and what covers them. */
const starters: readonly {
  readonly modules: readonly string[];
  readonly cover: (addressOf: AddressOf) => () => void;
}[] = [
  { modules: ['child_process', 'cluster', 'test'], cover: coverProcesses },
  { modules: ['worker_threads'], cover: coverThreads },
];

/**
 * Until the returned function is called, every Node process and every thread that is started here loads the boundary
 * first, also with an environment or options of its own, and so does what those start.
 *
 * Most runs start none, and loading these modules of Node takes longer than loading an eval file: they are covered when
 * somebody asks for them.
 */
export function coverSpawning(addressOf: AddressOf): () => void {
  const undo: (() => void)[] = [];
  const waiting = new Set(starters);
  const cover = (isAskedFor: (module: string) => boolean): void => {
    for (const starter of waiting) {
      if (!starter.modules.some(isAskedFor)) continue;
      waiting.delete(starter);
      undo.push(starter.cover(addressOf));
      syncBuiltinESMExports(); // for those who import by name
    }
  };
  const { moduleLoadList: loaded } = process as { readonly moduleLoadList?: readonly string[] };
  cover((module) => loaded?.includes(`NativeModule ${module}`) ?? true);
  const onName = (name: unknown): void => {
    if (waiting.size > 0 && typeof name === 'string')
      cover((module) => name === module || name === `node:${module}`);
  };
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      onName(specifier);
      return next(specifier, context);
    },
  });
  const restoreGet = replace(process, 'getBuiltinModule', (original) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      onName(args[0]);
      return Reflect.apply(original, this, args);
    };
  });
  return () => {
    hooks.deregister();
    restoreGet();
    waiting.clear();
    if (undo.length === 0) return;
    for (const each of undo.splice(0)) each();
    syncBuiltinESMExports();
  };
}

/** What `ChildProcess.prototype.spawn` takes: `spawn`, `exec`, `execFile`, `fork` and `cluster` all end there. */
interface SpawnOptions {
  readonly envPairs?: readonly string[] | undefined;
}

function coverProcesses(addressOf: AddressOf): () => void {
  const undo = [coverSpawned(addressOf), ...coverWaitedFor(addressOf)];
  return () => {
    for (const each of undo) each();
  };
}

function coverSpawned(addressOf: AddressOf): () => void {
  const { prototype } = process.getBuiltinModule('node:child_process').ChildProcess;
  return replace(prototype, 'spawn', (spawn) => {
    return function (this: unknown, options: SpawnOptions, ...rest: unknown[]): unknown {
      const address = addressOf('going-on');
      if (address === undefined) return Reflect.apply(spawn, this, [options, ...rest]);
      const given = options.envPairs ?? pairsOf(process.env);
      const env = Object.fromEntries(given.map((pair) => splitPair(pair)));
      return Reflect.apply(spawn, this, [{ ...options, envPairs: pairsOf(covered(env, address)) }, ...rest]);
    };
  });
}

/** `spawnSync` and its kin: the one who starts them hears nothing until they have ended. */
function coverWaitedFor(addressOf: AddressOf): (() => void)[] {
  const childProcess = process.getBuiltinModule('node:child_process');
  return (['spawnSync', 'execSync', 'execFileSync'] as const).map((name) =>
    replace(childProcess, name, (original) => {
      return function (this: unknown, ...args: unknown[]): unknown {
        const address = addressOf('waiting');
        return Reflect.apply(original, this, address === undefined ? args : withEnv(args, address));
      };
    }),
  );
}

/** The arguments with an environment: `(file, args?, options?)`. */
function withEnv(args: readonly unknown[], address: RelayAddress): unknown[] {
  const isOptions = (value: unknown): boolean =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  const given = args.findIndex(isOptions);
  const at = given === -1 ? args.length : given;
  const options = (args[given] ?? {}) as { readonly env?: Env | null };
  const changed = [...args];
  // A place that was left empty is one for the options.
  while (given === -1 && changed.length > 1 && changed.at(-1) == null) changed.pop();
  changed[given === -1 ? changed.length : at] = {
    ...options,
    env: covered(options.env ?? process.env, address),
  };
  return changed;
}

function coverThreads(addressOf: AddressOf): () => void {
  const threads = process.getBuiltinModule('node:worker_threads');
  return replace(threads, 'Worker', (original) => {
    return new Proxy(original, {
      construct(Worker, [filename, options = {}]: [unknown, WorkerOptions?], made) {
        const address = addressOf('going-on');
        if (address === undefined) return Reflect.construct(Worker, [filename, options], made);
        const before = threads.getEnvironmentData(relayVariable);
        // A thread gets what is set when it is made, whatever its environment is.
        threads.setEnvironmentData(relayVariable, address as unknown as Serializable);
        try {
          return startThread((own) => Reflect.construct(Worker, [filename, own], made), options, address);
        } finally {
          threads.setEnvironmentData(relayVariable, before);
        }
      },
    });
  });
}

/** Starts a thread that loads the boundary first. */
function startThread(
  start: (options: WorkerOptions) => object,
  options: WorkerOptions,
  address: RelayAddress,
): object {
  const { env, execArgv = process.execArgv } = options;
  const own = {
    ...options,
    ...(typeof env === 'object' && env !== null && { env: covered(env, undefined) }),
  };
  const preload = preloadOption(address);
  try {
    return start({ ...own, execArgv: [...execArgv, preload] });
  } catch (error) {
    const refused = refusedOptions(error);
    // Options of the process are inherited where they fit a thread, and refused where they are named.
    if (options.execArgv !== undefined || refused === undefined) throw error;
    return start({ ...own, execArgv: [...execArgv.filter((one) => !refused.includes(one)), preload] });
  }
}

function refusedOptions(error: unknown): readonly string[] | undefined {
  if (!(error instanceof Error) || Reflect.get(error, 'code') !== 'ERR_WORKER_INVALID_EXEC_ARGV')
    return undefined;
  return /: (.*)$/.exec(error.message)?.[1]?.split(', ');
}

/** An environment in which Node loads the boundary first; without an address, one in which it does not. */
function covered(env: Env, address: RelayAddress | undefined): Record<string, string | undefined> {
  // On Windows, names of variables are the same in capitals and not.
  const nameOf = (name: string): string =>
    process.platform === 'win32'
      ? (Object.keys(env).find((each) => each.toUpperCase() === name) ?? name)
      : name;
  const optionsName = nameOf('NODE_OPTIONS');
  const own = (env[optionsName] ?? '').replaceAll(/(?:^| )--import=\S*synapsekit-preload\S*/g, '').trim();
  const { [optionsName]: _, [nameOf(relayVariable)]: __, ...rest } = env;
  if (address === undefined) return own === '' ? rest : { ...rest, [optionsName]: own };
  return {
    ...rest,
    [optionsName]: `${own} ${preloadOption(address)}`.trim(),
    [relayVariable]: JSON.stringify(address),
  };
}

function pairsOf(env: Env): string[] {
  return Object.entries(env)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`);
}

/** On Windows some names begin with "=". */
function splitPair(pair: string): readonly [string, string] {
  const at = pair.indexOf('=', 1);
  return [pair.slice(0, at), pair.slice(at + 1)];
}

/** Puts another function in the place of one. Returns the way back, which leaves what others have put there since. */
function replace(owner: object, name: string, make: (original: AnyFunction) => unknown): () => void {
  const original: unknown = Reflect.get(owner, name);
  const replacement = make(original as AnyFunction);
  Reflect.set(owner, name, replacement);
  return () => {
    if (Reflect.get(owner, name) === replacement) Reflect.set(owner, name, original);
  };
}
