import { isSynapseError } from '@synapsekit/core';
import { OpenAICompatibleLLM } from '@synapsekit/llm-openai-compatible';

const llm = new OpenAICompatibleLLM({ host: 'ollama', model: 'llama3.2', baseURL: 'http://127.0.0.1:9/v1' });
try {
  await llm.generate('What is the capital of France?');
} catch (error) {
  if (!isSynapseError(error)) throw error;
  console.log(error.code, error.message);
}
