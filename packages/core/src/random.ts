/** A source of random numbers in [0, 1). Injected wherever chance decides (jitter, sampling). */
export type Random = () => number;

/** `Math.random`. */
export const systemRandom: Random = () => Math.random();

/** Mints ids that never repeat. Injected so that tests and fixtures are stable. */
export type IdSource = () => string;

let minted: IdSource | undefined;

/** Random UUIDs (version 4). `node:crypto` takes milliseconds to load: not before the first id. */
export const systemIds: IdSource = () => {
  minted ??= uuidSource();
  return minted();
};

/**
 * Processes that start from one snapshot of Node's heap start with all that it held: no pool must be in it, or all of them
 * would mint the same ids.
 */
function forgetInSnapshots(forget: () => void): void {
  const { startupSnapshot } = process.getBuiltinModule('node:v8');
  if (startupSnapshot.isBuildingSnapshot()) startupSnapshot.addSerializeCallback(forget);
}

/** Bytes of one UUID, and how many of them are asked of the system at once: most of what that takes is asking. */
const uuidBytes = 16;
const batch = 256;
/** Where the two digits of each byte stand in `xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx`. */
const places: readonly number[] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
/** Character codes. */
const digits: Uint8Array = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));

/**
 * Like `randomUUID`, which makes its string of twenty pieces: whoever looks such an id up in a map pays for joining
 * them, and whoever keeps it keeps the pieces. Written into one buffer, it is one string from the start.
 */
function uuidSource(): IdSource {
  const { randomFillSync } = process.getBuiltinModule('node:crypto');
  const pool = new Uint8Array(batch * uuidBytes);
  const text = Buffer.alloc(36, '-');
  let next = pool.length;
  forgetInSnapshots(() => {
    next = pool.length;
  });
  return () => {
    if (next === pool.length) {
      randomFillSync(pool);
      next = 0;
    }
    pool[next + 6] = ((pool[next + 6] as number) & 0x0f) | 0x40; // the version: 4
    pool[next + 8] = ((pool[next + 8] as number) & 0x3f) | 0x80; // the variant: 8, 9, a or b
    for (let i = 0; i < uuidBytes; i++) {
      const byte = pool[next + i] as number;
      const place = places[i] as number;
      text[place] = digits[byte >> 4] as number;
      text[place + 1] = digits[byte & 15] as number;
    }
    next += uuidBytes;
    return text.toString('latin1');
  };
}
