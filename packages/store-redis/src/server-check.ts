import { script } from './lua/script.ts';
import type { ScriptCaller } from './script-caller.ts';

/** KEYS: z, so that a cluster asks the node in question. */
const infoScript = script(
  'info',
  `
local info = redis.call('INFO', 'server') .. redis.call('INFO', 'memory')
local function field(name) return string.match(info, name .. ':([^\\r\\n]*)') or '' end
return { field('redis_version'), field('maxmemory_policy'), field('maxmemory') }
`,
);

/**
 * Warns of a server that is too old, or that throws away keys when its memory is full: a budget that is evicted is a
 * budget that starts anew. A server that does not tell is left in peace.
 */
export async function checkServer(
  caller: ScriptCaller,
  keys: string[],
  warn: (message: string) => void,
): Promise<void> {
  try {
    const [version = '', policy = '', maxMemory = '0'] = (
      (await caller.call(infoScript, keys, [])) as unknown[]
    ).map(String);
    const [major = 0, minor = 0] = version.split('.').map(Number);
    if (major < 6 || (major === 6 && minor < 2)) {
      warn(`RedisLedger needs Redis 6.2 or Valkey, or later; the server says that it is ${version}.`);
    }
    if (policy !== 'noeviction' && policy !== '') {
      warn(
        `The Redis that keeps the budgets has maxmemory-policy ${policy}: ${maxMemory === '0' ? 'once maxmemory is set' : 'when its memory is full'} it throws keys away, and what was spent is forgotten. Set it to noeviction.`,
      );
    }
  } catch {
    // It may not be asked, or is away again: the operations themselves tell.
  }
}
