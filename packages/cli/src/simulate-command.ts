import { type Command, UsageError } from './command.ts';
import { numberFlag, textFlag } from './parse-flags.ts';

const defaultPort = 4010;

/** `synapsekit simulate` */
export const simulateCommand: Command = {
  name: 'simulate',
  usage: ['simulate [flags]'],
  about:
    'Starts a simulated OpenAI and Groq on this machine: a real HTTP server that any client can be pointed\n' +
    'at. Prints what it is asked, and its bill when it is stopped with Ctrl-C. Nothing leaves the machine.',
  flags: {
    port: {
      type: 'string',
      value: 'N',
      help: `Port on 127.0.0.1. Default: ${defaultPort}; 0 takes any free one`,
    },
    'latency-ms': { type: 'string', value: 'N', help: 'Time until the first byte of an answer. Default: 0' },
    'chunk-delay-ms': { type: 'string', value: 'N', help: 'Time before each piece of a stream. Default: 0' },
    'prompt-cache': { type: 'boolean', help: 'Bill repeated beginnings of prompts as cached.' },
    'api-key': { type: 'string', value: 'KEY', help: 'The only key to accept. Default: any' },
    json: { type: 'boolean', help: 'One JSON object a line, of type "listening", "request" or "bill".' },
    'no-color': { type: 'boolean', help: 'No colours. NO_COLOR and FORCE_COLOR are respected as well.' },
  },
  async run(args, io) {
    const [unwanted] = args.positionals;
    if (unwanted !== undefined)
      throw new UsageError(`synapsekit simulate takes flags only, got "${unwanted}".`);
    const apiKey = textFlag(args, 'api-key');
    if (apiKey === '') throw new UsageError('--api-key must not be empty.');
    const options = {
      port: numberFlag(args, 'port', { min: 0 }) ?? defaultPort,
      latencyMs: numberFlag(args, 'latency-ms', { min: 0 }),
      chunkDelayMs: numberFlag(args, 'chunk-delay-ms', { min: 0 }),
      promptCache: args.flags['prompt-cache'] === true,
      apiKeys: apiKey === undefined ? undefined : [apiKey],
    };
    const { runSimulation } = await import('./run-simulation.ts');
    return runSimulation(options, io, {
      json: args.flags.json === true,
      noColor: args.flags['no-color'] === true,
    });
  },
};
