/** What must not be told. */
export interface Sensitive {
  /** Everything users and models wrote: no word of it is repeated. */
  readonly prompt: string;
  /** Keys. */
  readonly secrets: readonly string[];
}

const longest = 300;
/** User name and password of a URL, which `fetch` quotes. */
const urlLogin = /(?<=\/\/)[^\s/@]+@/g;
const keyLike = /\b(?:bearer\s+\S+|(?:sk|gsk|pk|rk|xai|org|proj)[-_][\w*.-]{6,}|[\w-]{40,})/gi;

/**
 * A provider's message without keys and without any word of the prompt: providers quote both. Words of four letters
 * and more that stand in the prompt go, except the vocabulary of the API itself, which says nothing about anybody.
 */
export function redact(message: string, { prompt, secrets }: Sensitive): string {
  let told = message;
  for (const secret of secrets) if (secret.length >= 4) told = told.replaceAll(secret, '[redacted]');
  told = told.replace(urlLogin, '[redacted]@').replace(keyLike, '[redacted]').replace(/\s+/g, ' ').trim();
  const cut = told.length > longest ? `${told.slice(0, longest).replace(/\S*$/, '')}…` : told;
  if (prompt === '') return cut;
  const written = prompt.toLowerCase();
  return cut
    .replace(/[\p{L}\p{N}][\p{L}\p{N}_@.+-]*[\p{L}\p{N}]/gu, (word) => {
      const lower = word.toLowerCase();
      return word.length < 4 || vocabulary.has(lower) || !written.includes(lower) ? word : '…';
    })
    .replace(/…(?:[\s.,;:]*…)+/g, '…');
}

/** Words that providers explain refusals with. */
const vocabulary: ReadonlySet<string> = new Set(
  `additional additionalproperties allowed argument arguments array assistant available between boolean cannot choice
  choices completion completions content context contains decimal description does each empty enum error exceed
  exceeds expected failed false field format found function functions given however image image_url images input
  integer invalid items json json_schema least length less limit list logprobs long longer match maximum message
  messages minimum missing mode model models more most must name null number object only output parallel_tool_calls
  parameter parameters please prompt properties property provided reasoning_effort reduce request required requires
  response response_format resulted role roles schema seed server should specified stop stream strict string
  supported supports system temperature text than that them this token tokens tool tool_call_id tool_calls
  tool_choice tools top_logprobs top_p true type unsupported url user valid value values when where with your`.split(
    /\s+/,
  ),
);
