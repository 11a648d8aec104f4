import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** Where a provider listens. */
export interface ProviderProcess extends AsyncDisposable {
  readonly openai: string;
  readonly groq: string;
}

/** Starts the simulated provider in a process of its own; it gives this one answer to everything. */
export async function startProvider(answer: string): Promise<ProviderProcess> {
  const child = fork(join(import.meta.dirname, 'provider-process.ts'), [answer], {
    execArgv: ['--no-warnings'],
  });
  const [urls] = (await once(child, 'message')) as [{ openai: string; groq: string }];
  return {
    ...urls,
    async [Symbol.asyncDispose]() {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}
