import { isSynapseError } from '@synapsekit/core';
import { GroqLLM } from '@synapsekit/llm-groq';

const llm = new GroqLLM({
  model: 'openai/gpt-oss-20b',
  apiKey: 'gsk_none',
  baseURL: 'http://127.0.0.1:9/v1',
});
try {
  await llm.generate('What is the capital of France?');
} catch (error) {
  if (!isSynapseError(error)) throw error;
  console.log(error.code, error.message);
}
