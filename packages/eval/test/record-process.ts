/** A process that records: `node record-process.ts CWD BASE_URL PREFIX COUNT`. */
import OpenAI from 'openai';
import { ProviderTraffic } from '../src/traffic/provider-traffic.ts';

const [cwd = '', baseURL = '', prefix = '', count = '0'] = process.argv.slice(2);
const traffic = new ProviderTraffic({ mode: 'record', cwd });
const client = new OpenAI({ baseURL, apiKey: 'any', fetch: traffic.fetch });
for (let index = 0; index < Number(count); index++) {
  const context = {
    file: 'a.eval.ts',
    name: `${prefix} ${index}`,
    trial: 0,
    role: 'case',
    signal: new AbortController().signal,
  } as const;
  await traffic.run(context, () =>
    client.chat.completions.create({
      model: 'gpt-4o',
      messages: [{ role: 'user', content: `${prefix} ${index}` }],
    }),
  );
  traffic.report(context);
}
await traffic.close();
