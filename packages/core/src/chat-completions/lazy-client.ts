import type { ChatClient } from './sdk.ts';

/** Makes the client at the first call, once for all of them; a failure is not remembered. */
export function lazyClient(make: () => Promise<ChatClient>): () => Promise<ChatClient> {
  let client: Promise<ChatClient> | undefined;
  return () => {
    client ??= make().catch((error: unknown) => {
      client = undefined;
      throw error;
    });
    return client;
  };
}
