import { createHash, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { isAlive } from './file-lock.ts';

/** A process of another machine, or of a container with a folder in common, that wrote nothing for so long is gone. */
const silentMs = 3_600_000;

let here: string | undefined;

/** This machine, in names of files: in two containers, the same number is two processes. */
function thisHost(): string {
  here ??= createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
  return here;
}

/** What names of files are told apart by: this process, and one of its files. */
export function ownMark(): string {
  return `${process.pid}-${thisHost()}-${randomUUID().slice(0, 8)}`;
}

/** Who wrote a file, as its name says. */
export interface FileOwner {
  readonly kind: 'unsaved' | 'tmp' | 'room';
  readonly pid: number;
  readonly isHere: boolean;
}

/** @param rest the name of the file behind that of its tape. */
export function ownerOf(rest: string): FileOwner | undefined {
  const [, pid, host, kind] = /^(\d+)-(?:([0-9a-f]{8})-)?[0-9a-f]{8}\.(unsaved|tmp|room)$/.exec(rest) ?? [];
  if (pid === undefined) return undefined;
  return {
    kind: kind as FileOwner['kind'],
    pid: Number(pid),
    isHere: host === undefined || host === thisHost(),
  };
}

/**
 * Whether its process is gone.
 *
 * @param silence how long the file was not written, in milliseconds.
 */
export async function isGone(owner: FileOwner, silence: () => Promise<number>): Promise<boolean> {
  if (!owner.isHere) return (await silence()) > silentMs;
  // Of our number, and not ours: that process was there long ago. A half of a tape may be one of another tape of this process that is written now.
  return owner.pid === process.pid ? owner.kind === 'unsaved' : !isAlive(owner.pid);
}
