import { createTextReporter, type RunResult, runSuite } from '@synapsekit/eval';
import { createSuite } from './evals.ts';
import type { Pipeline } from './pipeline.ts';
import type { Stage } from './stage.ts';

/** Runs the tutorial's eval suite, as `synapsekit test` does. */
export async function evalsChapter(stage: Stage, pipeline: Pipeline): Promise<RunResult> {
  const { terminal, claims, signal } = stage;
  const reporter = createTextReporter({
    write: (text) => terminal.write(text.replaceAll(/^(?=.)/gm, '  ')),
    color: terminal.color,
  });
  const result = await runSuite(createSuite(pipeline), { signal, observers: [reporter] });
  signal.throwIfAborted();
  terminal.line();
  claims.check('the eval suite passed', result.ok, `${result.passed} of ${result.total}`);
  return result;
}
