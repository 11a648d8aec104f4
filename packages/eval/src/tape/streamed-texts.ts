/** Fields in which streams spell out what a model writes: texts, thoughts, arguments of tools. */
const spelt =
  /"(content|text|delta|arguments|refusal|reasoning|reasoning_content)"\s*:\s*("(?:[^"\\]|\\.)*")/g;

/**
 * What a stream says, put together: a word that comes in several events stands in none of them. One text for each
 * kind of field; answers that come side by side are not told apart. Empty for what is no stream.
 */
export function streamedTexts(body: string): readonly string[] {
  if (!/^data:/m.test(body)) return [];
  const texts = new Map<string, string>();
  for (const [, field = '', value = '""'] of body.matchAll(spelt)) {
    texts.set(field, (texts.get(field) ?? '') + unquote(value));
  }
  return [...texts.values()];
}

function unquote(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}
