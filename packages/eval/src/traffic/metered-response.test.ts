import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BodyWatcher, meteredResponse, responseOf } from './metered-response.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A body that comes in pieces, and may break after them. */
function bodyOf(pieces: readonly string[], failure?: Error): ReadableStream<Uint8Array> {
  const left = pieces.map((piece) => new TextEncoder().encode(piece));
  return new ReadableStream(
    {
      async pull(controller) {
        await turn();
        const piece = left.shift();
        if (piece !== undefined) controller.enqueue(piece);
        else if (failure === undefined) controller.close();
        else controller.error(failure);
      },
    },
    { highWaterMark: 0 },
  );
}

class Heard implements BodyWatcher {
  text = '';
  readonly ends: unknown[] = [];

  chunk(bytes: Uint8Array): void {
    this.text += new TextDecoder().decode(bytes);
  }

  end(end: unknown): void {
    this.ends.push(end);
  }
}

test('a body that is read after its reader has returned is whole, and heard once', async () => {
  const pieces = fc.array(fc.string({ unit: 'grapheme-ascii' }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(pieces, fc.nat(8), async (texts, turns) => {
      const heard = new Heard();
      const returned = new AbortController();
      const signals = { signal: undefined, returned: returned.signal };
      const response = meteredResponse(new Response(bodyOf(texts)), signals, heard);
      returned.abort();
      for (let n = 0; n < turns; n++) await turn(); // before, while and after it is drained
      expect(await response.text()).toBe(texts.join(''));
      expect(heard).toMatchObject({ text: texts.join(''), ends: ['complete'] });
    }),
  );
});

test('a body that breaks while nobody reads it breaks for who comes back, after what had come', async () => {
  const heard = new Heard();
  const returned = new AbortController();
  const broken = new Error('broken');
  const response = meteredResponse(
    new Response(bodyOf(['a', 'b'], broken)),
    { signal: undefined, returned: returned.signal },
    heard,
  );
  returned.abort();
  for (let n = 0; n < 20; n++) await turn();
  expect(heard.ends).toEqual([{ error: broken }]);
  let text = '';
  const read = async (): Promise<void> => {
    for await (const piece of response.body ?? []) text += new TextDecoder().decode(piece);
  };
  await expect(read()).rejects.toBe(broken);
  expect(text).toBe('ab');
});

test('an answer that is cancelled before anybody read it is let go of', async () => {
  let left = 0;
  async function* pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    yield new Uint8Array([1]);
  }
  const facts = { status: 200, statusText: '', headers: new Headers() };
  const response = responseOf(facts, pieces(), 'http://x.test/', () => left++);
  await response.body?.cancel();
  expect(left).toBe(1);
});
