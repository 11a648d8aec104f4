/** The chat-completions request as it comes over the wire: only what the simulated provider reads. */

/** A piece of a message. */
export interface WirePart {
  readonly type: string;
  readonly text?: string;
  readonly refusal?: string;
  readonly image_url?: { readonly url: string; readonly detail?: string };
}

/** A call that an assistant message asks for. */
export interface WireToolCall {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: string };
}

/** A message of the prompt. */
export interface WireMessage {
  readonly role: string;
  readonly content?: string | readonly WirePart[] | null;
  readonly name?: string;
  readonly tool_calls?: readonly WireToolCall[];
  readonly tool_call_id?: string;
}

/** A function that the model may call. */
export interface WireTool {
  readonly type: string;
  readonly function: {
    readonly name: string;
    readonly description?: string;
    readonly parameters?: Readonly<Record<string, unknown>>;
  };
}

/** The body of a request. Members that are not listed here are allowed and ignored. */
export interface WireBody {
  readonly model: string;
  readonly messages: readonly WireMessage[];
  readonly stream?: boolean | null;
  readonly stream_options?: { readonly include_usage?: boolean } | null;
  readonly max_tokens?: number | null;
  readonly max_completion_tokens?: number | null;
  readonly temperature?: number | null;
  readonly top_p?: number | null;
  readonly n?: number | null;
  readonly stop?: string | readonly string[] | null;
  readonly seed?: number | null;
  readonly tools?: readonly WireTool[] | null;
  readonly tool_choice?: string | { readonly function?: { readonly name?: string } } | null;
  readonly parallel_tool_calls?: boolean | null;
  readonly response_format?: {
    readonly type: string;
    readonly json_schema?: { readonly name?: string; readonly schema?: Readonly<Record<string, unknown>> };
  } | null;
  readonly logprobs?: boolean | null;
  readonly top_logprobs?: number | null;
  readonly logit_bias?: object | null;
  readonly reasoning_effort?: string | null;
  /** Groq only: leave the reasoning text out of the answer. */
  readonly include_reasoning?: boolean | null;
  readonly service_tier?: string | null;
}

/** The text of a message; parts joined, images left out. */
export function messageText({ content }: WireMessage): string {
  if (content === undefined || content === null) return '';
  if (typeof content === 'string') return content;
  return content.map((part) => part.text ?? part.refusal ?? '').join('');
}
