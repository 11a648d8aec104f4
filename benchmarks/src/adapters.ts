import { createOpenAI } from '@ai-sdk/openai';
import type { LLM } from '@synapsekit/core';
import { GroqLLM } from '@synapsekit/llm-groq';
import { OpenAILLM } from '@synapsekit/llm-openai';
import { generateText, streamText } from 'ai';
import Groq from 'groq-sdk';
import OpenAI from 'openai';
import type { Bench } from './harness/bench.ts';
import type { Contender } from './harness/compare.ts';
import { startProvider } from './start-provider.ts';

const prompt = 'What is the capital of France? Answer in one sentence, please.';
const messages = [{ role: 'user' as const, content: prompt }];
const answer = Array.from({ length: 150 }, (_, index) => `word${index % 10}`).join(' ');
/** 5 % over what the SDK takes. */
const limit = 1.05;

/** Both official clients have this shape; what they stream too. */
interface Chunk {
  readonly choices: readonly { readonly delta: { readonly content?: string | null | undefined } }[];
}

export const bench: Bench = {
  title: 'Adapters, over the official SDKs',
  async run({ compare, pace }) {
    await using provider = await startProvider(answer);
    const apiKey = 'simulated-key';
    const openai = new OpenAI({ apiKey, baseURL: provider.openai, maxRetries: 0 });
    const groq = new Groq({ apiKey, baseURL: provider.groq, maxRetries: 0 });
    const openaiLLM = new OpenAILLM({ model: 'gpt-4o-mini', apiKey, baseURL: provider.openai });
    const groqLLM = new GroqLLM({ model: 'llama-3.1-8b-instant', apiKey, baseURL: provider.groq });
    const ai = createOpenAI({ apiKey, baseURL: provider.openai }).chat('gpt-4o-mini');
    const stream = true as const;
    const options = { stream_options: { include_usage: true } };

    const callsOfOpenAI: Contender[] = [
      {
        name: 'openai',
        op: async () =>
          check(
            (await openai.chat.completions.create({ model: 'gpt-4o-mini', messages })).choices[0]?.message
              .content,
          ),
      },
      { name: 'OpenAILLM', op: async () => check((await openaiLLM.generate(prompt)).text) },
      {
        name: 'openai, given a signal',
        op: async () => {
          const { signal } = new AbortController();
          const call = await openai.chat.completions.create({ model: 'gpt-4o-mini', messages }, { signal });
          check(call.choices[0]?.message.content);
        },
      },
      {
        name: 'ai, @ai-sdk/openai',
        op: async () => check((await generateText({ model: ai, prompt, maxRetries: 0 })).text),
      },
    ];
    const callsOfGroq: Contender[] = [
      {
        name: 'groq-sdk',
        op: async () =>
          check(
            (await groq.chat.completions.create({ model: 'llama-3.1-8b-instant', messages })).choices[0]
              ?.message.content,
          ),
      },
      { name: 'GroqLLM', op: async () => check((await groqLLM.generate(prompt)).text) },
    ];
    const bareOpenAI = async () =>
      readChunks(
        await openai.chat.completions.create({ model: 'gpt-4o-mini', messages, stream, ...options }),
      );
    const bareGroq = async () =>
      readChunks(await groq.chat.completions.create({ model: 'llama-3.1-8b-instant', messages, stream }));
    const units = await bareOpenAI();
    const streamsOfOpenAI: Contender[] = [
      { name: 'openai', op: bareOpenAI, units },
      { name: 'OpenAILLM', op: () => readEvents(openaiLLM), units },
      {
        name: 'ai, @ai-sdk/openai',
        op: () => readText(streamText({ model: ai, prompt, maxRetries: 0 }).textStream),
        units,
      },
    ];
    const streamsOfGroq: Contender[] = [
      { name: 'groq-sdk', op: bareGroq, units },
      { name: 'GroqLLM', op: () => readEvents(groqLLM), units },
    ];

    const groups = [];
    for (const [what, contenders] of [
      ['openai: a call', callsOfOpenAI],
      ['openai: a streamed chunk', streamsOfOpenAI],
      ['groq-sdk: a call', callsOfGroq],
      ['groq-sdk: a streamed chunk', streamsOfGroq],
    ] as const) {
      const ratio = [contenders[1]?.name ?? '', contenders[0]?.name ?? ''] as const;
      groups.push(
        await compare(
          {
            title: what,
            mode: 'async',
            note: 'CPU time of the client alone: the provider runs in a process of its own on the same machine.',
            contenders,
            targets: [
              { text: `${what}, against the bare SDK`, ratio, limit, revised: 1.4, note: sockets },
              {
                text: `${what}, the same by wall time, provider included`,
                ratio,
                limit,
                binding: false,
                time: 'wall',
              },
            ],
          },
          pace.quick ? { sampleMs: 20 } : { sampleMs: 20, rounds: 61, warmUpMs: 1_500, mirrored: true },
        ),
      );
    }
    groups.push(await withoutSockets());
    return groups;

    /** What an adapter adds, where it can be told apart from the noise of sockets. */
    async function withoutSockets() {
      const response = await fetch(`${provider.openai}/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'gpt-4o-mini', messages }),
      });
      const headers = [...response.headers];
      const body = await response.text();
      const fromMemory = async (): Promise<Response> => new Response(body, { headers });
      const baseURL = provider.openai;
      const sdk = new OpenAI({ apiKey, baseURL, maxRetries: 0, fetch: fromMemory });
      const llm = new OpenAILLM({ model: 'gpt-4o-mini', apiKey, baseURL, fetch: fromMemory });
      const sdkCall = async (): Promise<void> => {
        const { choices } = await sdk.chat.completions.create({ model: 'gpt-4o-mini', messages });
        check(choices[0]?.message.content);
      };
      const llmCall = async (): Promise<void> => check((await llm.generate(prompt)).text);
      return compare(
        {
          title: 'openai: a call, answered from memory',
          mode: 'async',
          note: 'The same answer of the same provider without a socket: what the adapter itself takes. Five percent of a call over a socket are 20 to 30 µs.',
          contenders: [
            { name: 'openai', op: sdkCall },
            { name: 'OpenAILLM', op: llmCall },
          ],
          targets: [
            {
              text: 'openai: a call, what the adapter adds without sockets',
              difference: ['OpenAILLM', 'openai'],
              limit: 27_000,
              note: sockets,
            },
          ],
        },
        pace.quick ? {} : { rounds: 61, warmUpMs: 1_500, mirrored: true },
      );
    }
  },
};

const sockets =
  'Over a socket the same code takes two to four times as long, since nothing of it is in the caches of the processor ' +
  'when the answer comes; and the calls themselves differ by more than 5 % from round to round (see the quartiles).';

function check(text: string | null | undefined): void {
  if (text !== answer) throw new Error(`not the answer: ${text}`);
}

/** How many chunks had content. */
async function readChunks(chunks: AsyncIterable<Chunk>): Promise<number> {
  let count = 0;
  let text = '';
  for await (const { choices } of chunks) {
    const content = choices[0]?.delta.content;
    if (typeof content !== 'string' || content === '') continue;
    text += content;
    count++;
  }
  check(text);
  return count;
}

async function readEvents(llm: LLM): Promise<void> {
  let text = '';
  for await (const event of llm.stream(prompt)) if (event.type === 'text') text += event.text;
  check(text);
}

async function readText(pieces: AsyncIterable<string>): Promise<void> {
  let text = '';
  for await (const piece of pieces) text += piece;
  check(text);
}
