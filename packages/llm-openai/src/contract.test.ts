import { describeLLM } from '@synapsekit/testing/contracts';
import { OpenAILLM } from './openai-llm.ts';

describeLLM('OpenAILLM', ({ simulated, apiKey, config }) => {
  return new OpenAILLM({ model: 'gpt-4o-mini', baseURL: simulated.openaiBaseURL, apiKey, config });
});
