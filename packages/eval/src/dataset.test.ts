import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigError } from '@synapsekit/core';
import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest';
import { csv } from './dataset-csv.ts';
import { jsonl } from './dataset-jsonl.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'synapsekit-dataset-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const read: T[] = [];
  for await (const row of rows) read.push(row);
  return read;
}

describe('jsonl', () => {
  test('reads a value a line: empty lines, a byte order mark and \\r\\n do not matter', async () => {
    const path = file('a.jsonl', '\uFEFF{"a":1}\r\n\r\n{"a":"zwei\\nzeilen"}\n[3]');
    expect(await all(jsonl(path))).toEqual([{ a: 1 }, { a: 'zwei\nzeilen' }, [3]]);
    expect(await all(jsonl(pathToFileURL(path), { limit: 1 }))).toEqual([{ a: 1 }]);
  });

  test('names the line that is no JSON', async () => {
    const path = file('a.jsonl', '{"a":1}\n\n{"a":\n{"a":3}\n');
    await expect(all(jsonl(path))).rejects.toThrow(`${path}:3: this line is no JSON`);
    await expect(all(jsonl(path))).rejects.toThrow(ConfigError);
  });

  test('checks and types rows by a schema of any library', async () => {
    const schema = v.object({ n: v.number(), tags: v.optional(v.array(v.string()), []) });
    const path = file('a.jsonl', '{"n":1}\n{"n":"two"}\n');
    const rows = jsonl(path, { schema });
    expectTypeOf(rows).toEqualTypeOf<AsyncGenerator<{ n: number; tags: string[] }, void, undefined>>();
    const { value } = await rows.next();
    expect(value).toEqual({ n: 1, tags: [] });
    await expect(rows.next()).rejects.toThrow(/a\.jsonl:2: the row does not fit its schema: n: Invalid type/);
  });

  test('says which file is not there, and where paths start', async () => {
    await expect(all(jsonl('nothing.jsonl'))).rejects.toThrow(
      /nothing\.jsonl cannot be read: there is no such file\. A path starts in the working folder/,
    );
    await expect(all(jsonl(folder))).rejects.toThrow('EISDIR');
    await expect(all(jsonl('x', { limt: 1 } as never))).rejects.toThrow('no option "limt"');
  });
});

describe('csv', () => {
  test('reads rows as objects of texts: quotes, commas, lines and a byte order mark', async () => {
    const path = file('a.csv', '\uFEFFq,a\r\n"Who said ""I came, I saw""?",Caesar\r\n"two\nlines",x\r\n');
    expect(await all(csv(path))).toEqual([
      { q: 'Who said "I came, I saw"?', a: 'Caesar' },
      { q: 'two\nlines', a: 'x' },
    ]);
    expect(await all(csv(file('b.csv', 'a;b\n1;2\n'), { delimiter: ';' }))).toEqual([{ a: '1', b: '2' }]);
    expect(await all(csv(path, { limit: 1 }))).toHaveLength(1);
  });

  test('names the line that is broken', async () => {
    const cases: [string, RegExp][] = [
      ['a,b\n1,2\n3\n', /:3: /],
      ['a,b\n1,2\n3,4,5\n', /:3: /],
      ['a,b\n1,"2\n', /quote/i],
      ['a,a\n1,2\n', /:1: two columns are called "a"/],
      ['a,\n1,2\n', /:1: a column has no name/],
    ];
    for (const [text, message] of cases) {
      const reading = all(csv(file('x.csv', text)));
      await expect(reading, JSON.stringify(text)).rejects.toThrow(message);
      await expect(all(csv(file('x.csv', text)))).rejects.toThrow(ConfigError);
    }
    await expect(all(csv(join(folder, 'no.csv')))).rejects.toThrow('there is no such file');
  });

  test('turns texts into numbers by a schema, and names the line of a row that does not fit', async () => {
    const schema = v.object({ n: v.pipe(v.string(), v.transform(Number), v.number()) });
    const path = file('a.csv', 'n\n1\n2\nthree\n');
    const rows: { n: number }[] = [];
    const reading = (async () => {
      for await (const row of csv(path, { schema })) rows.push(row);
    })();
    await expect(reading).rejects.toThrow(/a\.csv:4: the row does not fit its schema: n: /);
    expect(rows).toEqual([{ n: 1 }, { n: 2 }]);
  });
});
