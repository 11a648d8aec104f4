import fc from 'fast-check';
import { expect, test } from 'vitest';
import { redact } from './redact.ts';

test('keeps what a developer needs and no word of the prompt', () => {
  const prompt = 'Dear Ms Weatherwax, your PIN is 4711 and the type is unknown.';
  expect(
    redact("Invalid value: 'Weatherwax, your PIN is 4711'. Supported values are: 'low', 'high'.", {
      prompt,
      secrets: [],
    }),
  ).toBe("Invalid value: '…, your PIN is …'. Supported values are: 'low', 'high'.");
});

test('keeps schema trouble readable', () => {
  const message =
    "Invalid schema for function 'add': In context=(), 'additionalProperties' is required to be supplied and to be false.";
  expect(redact(message, { prompt: 'What is one and one?', secrets: [] })).toBe(message);
});

test('takes out keys: the known one, and whatever looks like one', () => {
  const told = redact(
    'Incorrect API key provided: my-odd-key. Also sk-abcDEF123456, gsk_0123456789ab, Bearer abc.def and 0123456789012345678901234567890123456789.',
    { prompt: '', secrets: ['my-odd-key'] },
  );
  expect(told).toBe(
    'Incorrect API key provided: [redacted]. Also [redacted], [redacted], [redacted] and [redacted].',
  );
});

test('takes out the user and the password of a URL', () => {
  expect(redact('No request to https://me:pw@host/v1, nor wss://me@host.', { prompt: '', secrets: [] })).toBe(
    'No request to https://[redacted]@host/v1, nor wss://[redacted]@host.',
  );
});

test('is short, whatever a provider sends', () => {
  expect(redact('word '.repeat(10_000), { prompt: '', secrets: [] }).length).toBeLessThan(310);
});

test('no word of four letters and more comes through', () => {
  const word = fc.stringMatching(/^[a-z0-9]{4,12}$/).map((text) => `q${text}`);
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1, maxLength: 8 }),
      fc.constantFrom(' ', ', ', "' '", '\n'),
      (words, gap) => {
        const told = redact(`Could not read "${words.join(gap)}".`, { prompt: words.join(' '), secrets: [] });
        for (const each of words) expect(told).not.toContain(each);
      },
    ),
  );
});
