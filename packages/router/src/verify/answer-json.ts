/**
 * The JSON in an answer: the whole of it, or a fenced block where it is all the code there is. `undefined` when there
 * is none.
 */
export function answerJson(text: string): { readonly value: unknown } | undefined {
  const trimmed = text.trim();
  const direct = parse(trimmed);
  if (direct !== undefined) return direct;
  const open = trimmed.indexOf('```');
  const close = trimmed.lastIndexOf('```');
  if (open === -1 || close <= open) return undefined;
  const block = trimmed.slice(open + 3, close);
  if (block.includes('```')) return undefined; // several: nobody knows which is meant
  return parse(block.replace(/^\w*\s/u, ''));
}

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}
