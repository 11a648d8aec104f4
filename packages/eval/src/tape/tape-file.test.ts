import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '@synapsekit/core';
import { ManualClock } from '@synapsekit/testing';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TrafficLab } from '../../test/traffic-run.ts';
import { canonicalJson } from './canonical-json.ts';
import { playTape } from './play-tape.ts';
import { tapeAnswer } from './record-answer.ts';
import { SecretScan } from './secret-scan.ts';
import type { TapeEntry } from './tape-entry.ts';
import { TapeFile } from './tape-file.ts';
import { formatTape, parseTape } from './tape-format.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tape-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const setupOf = (path = join(folder, 'a.jsonl')): Parameters<typeof TapeFile.open>[0] => ({
  path,
  shown: 'a.jsonl',
  clock: systemClock,
  scan: new SecretScan({}),
});

const entryOf = (facts: Partial<TapeEntry> = {}): TapeEntry => ({
  case: 'a',
  trial: 0,
  role: 'case',
  key: 'k',
  occurrence: 0,
  recordedAt: '2026-11-28T00:00:00.000Z',
  request: { method: 'POST', host: 'h', path: '/p', body: { model: 'm' } },
  answer: { status: 200, headers: {}, afterMs: 1, chunks: [[2, 'text']], end: 'complete' },
  ...facts,
});

describe('a tape on disk', () => {
  test('two processes that record at the same time lose nothing', async () => {
    await using lab = await TrafficLab.open();
    const script = join(import.meta.dirname, '../../test/record-process.ts');
    const run = (prefix: string): Promise<unknown> =>
      promisify(execFile)(process.execPath, [script, lab.cwd, lab.sim.openaiBaseURL, prefix, '25']);
    await Promise.all([run('one'), run('other')]);
    const entries = parseTape(await lab.tape(), 'tape');
    expect(entries).toHaveLength(50);
    expect(new Set(entries.map((entry) => entry.case)).size).toBe(50);
    expect(await readdir(join(lab.cwd, '__tapes__'))).toEqual(['a.eval.ts.jsonl']);
  });

  test('what another process wrote meanwhile stays', async () => {
    const [one, other] = [await TapeFile.open(setupOf()), await TapeFile.open(setupOf())];
    one.add(entryOf({ case: 'one' }));
    other.add(entryOf({ case: 'other' }));
    await Promise.all([one.save(), other.save()]);
    const entries = parseTape(await readFile(setupOf().path, 'utf8'), 'tape');
    expect(entries.map((entry) => entry.case)).toEqual(['one', 'other']);
  });

  test('a lock that a dead process left is taken away', async () => {
    const { path } = setupOf();
    await writeFile(`${path}.lock`, '');
    const old = new Date(Date.now() - 60_000);
    await utimes(`${path}.lock`, old, old);
    const tape = await TapeFile.open(setupOf());
    tape.add(entryOf());
    await tape.save();
    expect(await readdir(folder)).toEqual(['a.jsonl']);
  });

  test('when it cannot be written, what was there stays, nothing lies around, and it can be tried again', async () => {
    const path = join(folder, 'sub', 'a.jsonl');
    const tape = await TapeFile.open(setupOf(path));
    tape.add(entryOf());
    await mkdir(path, { recursive: true }); // a folder in its place
    await expect(tape.save()).rejects.toThrow(/a\.jsonl .*it is a folder \(EISDIR\)/);
    expect(await readdir(join(folder, 'sub'))).toEqual(['a.jsonl']);
    await rm(path, { recursive: true });
    await tape.save();
    expect(parseTape(await readFile(path, 'utf8'), 'tape')).toEqual([entryOf()]);
  });

  test('nothing is written when nothing was recorded', async () => {
    const tape = await TapeFile.open(setupOf());
    await tape.save();
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('the format', () => {
  const anyEntry = fc.record({
    case: fc.string({ unit: 'binary' }),
    trial: fc.nat(3),
    occurrence: fc.nat(5),
    key: fc.constantFrom('k1', 'k2', 'k3'),
    body: fc.jsonValue(),
    chunks: fc.array(fc.tuple(fc.nat(9), fc.string({ unit: 'binary' }))),
  });

  test('what is written is read, in an order that does not depend on that of recording', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(anyEntry, { selector: (e) => [e.case, e.trial, e.key, e.occurrence].join() }),
        (all) => {
          const entries = all.map(({ body, chunks, ...rest }) =>
            entryOf({
              ...rest,
              request: { method: 'POST', host: 'h', path: '/p', body },
              answer: { status: 200, headers: {}, afterMs: 0, chunks, end: 'complete' },
            }),
          );
          const text = formatTape(entries);
          expect(formatTape([...entries].reverse())).toBe(text);
          expect(text.trim().split('\n')).toHaveLength(1 + entries.length);
          expect(parseTape(text, 't').map(canonicalJson).sort()).toEqual(entries.map(canonicalJson).sort());
        },
      ),
    );
  });

  test('bodies come back byte by byte, whatever they are and however they were cut', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.string({ unit: 'binary', maxLength: 100 }).map((text) => new TextEncoder().encode(text)),
    );
    await fc.assert(
      fc.asyncProperty(bytes, fc.integer({ min: 1, max: 9 }), async (whole, size) => {
        const chunks = [];
        for (let at = 0; at < whole.length; at += size) {
          chunks.push({ afterMs: at, bytes: whole.subarray(at, at + size) });
        }
        const received = {
          status: 200,
          statusText: '',
          headers: new Headers(),
          afterMs: 0,
          chunks,
          end: 'complete',
        } as const;
        const answer = tapeAnswer(received, (text) => text, new Set());
        const entry = parseTape(formatTape([entryOf({ answer })]), 't')[0] ?? entryOf();
        const played = await playTape(entry, { paced: false, clock: systemClock, signal: undefined });
        const pieces: Uint8Array[] = [];
        for await (const piece of played.chunks) pieces.push(piece);
        expect(Buffer.concat(pieces).equals(Buffer.from(whole))).toBe(true);
      }),
    );
  });
});

test('a tape is played as slowly as it was recorded, where that is asked for', async () => {
  const clock = new ManualClock();
  const chunks = [
    [120, 'a'],
    [150, 'b'],
    [150, 'c'],
  ] as const;
  const answer = { status: 200, headers: {}, afterMs: 100, chunks, end: 'complete' } as const;
  const came: [number, string][] = [];
  const play = async (): Promise<void> => {
    const played = await playTape(entryOf({ answer }), { paced: true, clock, signal: undefined });
    came.push([clock.monotonic(), 'headers']);
    for await (const piece of played.chunks) came.push([clock.monotonic(), Buffer.from(piece).toString()]);
  };
  const startMs = clock.monotonic();
  const playing = play();
  for (let ms = 0; ms < 200; ms += 10) await clock.advance(10);
  await playing;
  expect(came.map(([ms, what]) => [ms - startMs, what])).toEqual([
    [100, 'headers'],
    [120, 'a'],
    [150, 'b'],
    [150, 'c'],
  ]);
});

describe('what a process that was killed has left beside a tape', () => {
  const leave = async (pid: number, names: readonly string[], more = ''): Promise<string> => {
    const file = join(folder, `a.jsonl.${pid}-0a1b2c3d.unsaved`);
    await writeFile(file, `${formatTape(names.map((name) => entryOf({ key: name })))}${more}`);
    return file;
  };
  /** No process has this number. */
  const dead = 2 ** 22 + 1;

  test('is played, put on the tape with the next recording, and taken away', async () => {
    const file = await leave(dead, ['x', 'y'], '{"cut in the mid');
    for (const half of [`a.jsonl.${dead}-0a1b2c3d.tmp`, `a.jsonl.${dead}-0a1b2c3d.room`])
      await writeFile(join(folder, half), 'x');
    // Its lock does not keep anybody waiting.
    await writeFile(join(folder, 'a.jsonl.lock'), `${dead} ${hostname()}`);
    const tape = await TapeFile.open(setupOf());
    expect(tape.entries.map(({ key }) => key)).toEqual(['x', 'y']);
    expect(existsSync(file)).toBe(true);
    tape.add(entryOf({ key: 'z' }));
    await tape.save();
    expect((await TapeFile.open(setupOf())).entries.map(({ key }) => key)).toEqual(['x', 'y', 'z']);
    expect(await readdir(folder)).toEqual(['a.jsonl']);
  });

  test('of a process that lives is its own', async () => {
    const file = await leave(process.ppid, ['x']);
    const tape = await TapeFile.open(setupOf());
    expect(tape.entries).toEqual([]);
    tape.add(entryOf({ key: 'z' }));
    await tape.save();
    expect(existsSync(file)).toBe(true);
  });

  test('of a process of another machine, or container, is its own, unless it has been silent for an hour', async () => {
    const elsewhere = async (pid: number, key: string): Promise<string> => {
      const file = join(folder, `a.jsonl.${pid}-ffffffff-0a1b2c3d.unsaved`);
      await writeFile(file, formatTape([entryOf({ key })]));
      return file;
    };
    // The number of a process that is there, of one that is not, and of this one: they say nothing about another machine.
    const files = [
      await elsewhere(process.ppid, 'x'),
      await elsewhere(dead, 'y'),
      await elsewhere(process.pid, 'z'),
    ];
    const tape = await TapeFile.open(setupOf());
    expect(tape.entries).toEqual([]);
    tape.add(entryOf({ key: 'k' }));
    await tape.save();
    expect(files.map((file) => existsSync(file))).toEqual([true, true, true]);
    const old = new Date(Date.now() - 3_700_000);
    await utimes(files[0] as string, old, old);
    expect((await TapeFile.open(setupOf())).entries.map(({ key }) => key)).toEqual(['k', 'x']);
  });

  test('names this machine, so that others leave it alone', async () => {
    const tape = await TapeFile.open(setupOf());
    tape.add(entryOf({ key: 'x' }));
    const here = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
    expect(await readdir(folder)).toEqual([
      expect.stringMatching(new RegExp(`^a\\.jsonl\\.${process.pid}-${here}-[0-9a-f]{8}\\.unsaved$`)),
    ]);
  });

  test('is on disk the moment it is added, but for what holds a secret', async () => {
    const tape = await TapeFile.open(setupOf());
    await tape.makeWritable();
    tape.add(entryOf({ key: 'x' }));
    tape.add(
      entryOf({
        key: 'y',
        request: { method: 'POST', host: 'h', path: '/p', body: 'sk-abcdefghijklmnop0123456789' },
      }),
    );
    const [name = ''] = (await readdir(folder)).filter((each) => each.endsWith('.unsaved'));
    const text = await readFile(join(folder, name), 'utf8');
    expect(text).toContain('"key":"x"');
    expect(text).not.toContain('sk-abc');
  });

  test('where not even that can be written, nothing more is sent; what is in memory still goes on the tape', async () => {
    const path = join(folder, 'inner', 'a.jsonl');
    const tape = await TapeFile.open(setupOf(path));
    await tape.makeWritable();
    await rm(join(folder, 'inner'), { recursive: true });
    tape.add(entryOf({ key: 'x' }));
    await expect(tape.makeWritable()).rejects.toThrow(/a\.jsonl cannot be written: .*Nothing was sent/);
    await tape.save();
    await tape.makeWritable();
    expect((await TapeFile.open(setupOf(path))).entries.map(({ key }) => key)).toEqual(['x']);
    expect(await readdir(join(folder, 'inner'))).toEqual(['a.jsonl']);
  });
});
