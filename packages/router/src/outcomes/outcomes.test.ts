import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OutcomeFile, type OutcomeRow, OutcomesError, parseOutcomeRow, readOutcomes } from './index.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'outcomes-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const write = (content: string | Buffer): string => {
  const path = join(folder, `${files++}.jsonl`);
  writeFileSync(path, content);
  return path;
};
const row = (
  id: string,
  outcomes: OutcomeRow['outcomes'] = { a: { score: 1 }, b: { score: 0 } },
): OutcomeRow => ({
  id,
  prompt: `prompt ${id}`,
  outcomes,
});
const problemOf = async (path: string): Promise<OutcomesError> => {
  const error = await readOutcomes(path).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof OutcomesError) return error;
  throw new Error(`not refused: ${String(error)}`);
};

describe('readOutcomes', () => {
  test('reads what was written, gzipped or not, in pieces of any size, with or without a last line end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme', maxLength: 200 }), { minLength: 1, maxLength: 30 }),
        fc.boolean(),
        fc.boolean(),
        async (prompts, zipped, ended) => {
          const rows = prompts.map((prompt, i) => ({ ...row(String(i)), group: 'g', prompt }));
          const text = rows.map((one) => JSON.stringify(one)).join('\r\n') + (ended ? '\n\n' : '');
          expect(await readOutcomes(write(zipped ? gzipSync(text) : text))).toEqual(rows);
        },
      ),
      { numRuns: 25 },
    );
  });

  test('takes conversations, scores on another scale, and prompts of ten megabytes', async () => {
    const messages = [{ role: 'user', content: 'hello' }] as const;
    const path = write(
      `${JSON.stringify({ id: 1, prompt: messages, outcomes: { a: { score: 7 } } })}\n` +
        JSON.stringify({
          id: 2,
          prompt: 'x'.repeat(10_000_000),
          outcomes: { a: { score: 10, response: 'r' } },
        }),
    );
    const [first, second] = await readOutcomes(path, { maxScore: 10, responses: false });
    expect(first).toEqual({ id: '1', prompt: messages, outcomes: { a: { score: 0.7 } } });
    expect(second?.prompt).toHaveLength(10_000_000);
    expect(second?.outcomes).toEqual({ a: { score: 1 } });
  });

  test('joins lines of the same id: the later outcome of a model counts', async () => {
    const path = write(
      [
        row('1', { a: { score: 0 } }),
        row('2'),
        row('1', { b: { score: 1 } }),
        row('1', { a: { score: 1, costUsd: 2 } }),
      ]
        .map((one) => JSON.stringify(one))
        .join('\n'),
    );
    const [first, second] = await readOutcomes(path);
    expect(first).toEqual(row('1', { a: { score: 1, costUsd: 2 }, b: { score: 1 } }));
    expect(second).toEqual(row('2'));
  });

  test.each([
    ['', 'empty', undefined, 'there is no row in it'],
    ['\n \n', 'empty', undefined, 'there is no row in it'],
    [`${JSON.stringify(row('1'))}\n{"id": "secret prompt`, 'malformed', 2, 'this is no JSON (21 characters)'],
    ['[]', 'malformed', 1, 'a row must be an object'],
    ['{"id":"1","prompt":"secret prompt"}', 'malformed', 1, 'outcomes must be an object'],
    ['{"id":"1","prompt":"secret prompt","outcomes":{}}', 'malformed', 1, 'outcomes names no model'],
    ['{"prompt":"secret prompt","outcomes":{"a":{"score":1}}}', 'malformed', 1, 'id must be text'],
    ['{"id":"1","prompt":7,"outcomes":{"a":{"score":1}}}', 'malformed', 1, 'prompt must be'],
    [
      '{"id":"1","prompt":"p","outcomes":{"a":{"score":null}}}',
      'malformed',
      1,
      'null (what JSON makes of NaN)',
    ],
    ['{"id":"1","prompt":"p","outcomes":{"a":{"score":NaN}}}', 'malformed', 1, 'this is no JSON'],
    ['{"id":"1","prompt":"p","outcomes":{"a":{"score":"1"}}}', 'malformed', 1, 'got a string'],
    [
      '{"id":"1","prompt":"p","outcomes":{"a":{"score":3}}}',
      'malformed',
      1,
      'say what a perfect answer gets',
    ],
    [
      '{"id":"1","prompt":"p","outcomes":{"a":{"score":1,"costUsd":-1}}}',
      'malformed',
      1,
      'costUsd must be a number >= 0',
    ],
    [
      `${JSON.stringify(row('1'))}\n${JSON.stringify({ ...row('1'), prompt: 'secret prompt' })}`,
      'malformed',
      2,
      'stands for another prompt',
    ],
  ] as const)('says what is wrong with %j', async (content, problem, line, message) => {
    const error = await problemOf(write(content));
    expect(error).toMatchObject({ code: 'config', problem, line });
    expect(error.message).toContain(message);
    expect(error.message).toContain(line === undefined ? error.file : `${error.file}:${line}: `);
    expect(error.message).not.toContain('secret prompt');
  });

  test('a file that is not there, a folder, and gzip that is cut off', async () => {
    expect((await problemOf(join(folder, 'nothing.jsonl'))).message).toContain('there is no such file');
    expect((await problemOf(folder)).message).toContain('it is a folder');
    const cut = write(gzipSync(JSON.stringify(row('1'))).subarray(0, 40));
    expect((await problemOf(cut)).message).toContain('gzip data is broken or cut off');
  });

  test('stops when it is told to', async () => {
    const path = write(JSON.stringify(row('1')));
    const reason = new Error('enough');
    await expect(readOutcomes(path, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test('refuses options that it does not have', async () => {
    await expect(readOutcomes('x', { maxscore: 1 } as never)).rejects.toThrow('no option "maxscore"');
    expect(() => parseOutcomeRow('nonsense')).toThrow('this is no JSON');
  });
});

describe('OutcomeFile', () => {
  test('a thousand appends at once are a thousand whole lines, in order, beside what others append', async () => {
    const file = new OutcomeFile(join(folder, 'log.jsonl'));
    const ids = Array.from({ length: 1_000 }, (_, i) => String(i));
    await Promise.all(
      ids.map(async (id, i) => {
        if (i % 100 === 50) appendFileSync(file.path, `${JSON.stringify(row(`other-${id}`))}\n`);
        if (i % 3 === 0) await Promise.resolve();
        await file.append(row(id));
      }),
    );
    const read = await readOutcomes(file.path);
    expect(new Set(read.map(({ id }) => id).filter((id) => !id.startsWith('other')))).toEqual(new Set(ids));
    expect(readFileSync(file.path, 'utf8').endsWith('\n')).toBe(true);
  });

  test('begins a new line in a file whose last one was left without an end', async () => {
    const path = write([row('1'), row('2')].map((one) => JSON.stringify(one)).join('\n'));
    const file = new OutcomeFile(path);
    await file.append(row('3'));
    await file.append(row('4'));
    expect((await readOutcomes(path)).map(({ id }) => id)).toEqual(['1', '2', '3', '4']);
  });

  test('writes a picture that is bytes as a data URL, which is a prompt again when it is read', async () => {
    const picture = Uint8Array.from({ length: 3_000 }, (_, i) => i % 256);
    const prompt = [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'what is it?' },
          { type: 'image', image: picture, mediaType: 'image/png', detail: 'low' },
          { type: 'image', image: new URL('https://example.com/a.png') },
        ],
      },
    ] as const;
    const file = new OutcomeFile(join(folder, 'pictures.jsonl'));
    await file.append({ ...row('1'), prompt });
    expect(readFileSync(file.path).length).toBeLessThan(1.5 * picture.length);
    const [read] = await readOutcomes(file.path);
    const url = `data:image/png;base64,${Buffer.from(picture).toString('base64')}`;
    expect(read?.prompt).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'what is it?' },
          { type: 'image', image: url, detail: 'low' },
          { type: 'image', image: 'https://example.com/a.png' },
        ],
      },
    ]);
  });

  test.each([undefined, '', 7])('needs a path: %j is none', (path) => {
    expect(() => new OutcomeFile(path as never)).toThrow('new OutcomeFile(');
  });

  test('a row that is none is refused, and a write that fails is told to those whose row it was', async () => {
    const file = new OutcomeFile(join(folder, 'missing', 'log.jsonl'));
    await expect(file.append({ ...row('1'), outcomes: { a: { score: Number.NaN } } })).rejects.toThrow(
      'got NaN',
    );
    const both = await Promise.allSettled([file.append(row('1')), file.append(row('2'))]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
