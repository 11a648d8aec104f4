import type { DemoArguments } from './arguments.ts';
import { askFile } from './ask-file.ts';
import { askQuery } from './ask-query.ts';
import { nameModels } from './choose-models.ts';
import { castLive } from './live-models.ts';
import { connectModels, tutorialModels } from './models.ts';
import { createPipeline } from './pipeline.ts';
import { readQueryFile } from './query-file.ts';
import type { DemoIo } from './run-demo.ts';
import { startProvider } from './simulated.ts';
import { endpointsOf } from './stage.ts';
import { Terminal } from './terminal.ts';

/** Answers the user's own queries within a budget. True if all of them were answered. */
export async function ask(options: DemoArguments, io: DemoIo): Promise<boolean> {
  const { json, live, query = '', file, budgetUsd } = options;
  const { stdout, stderr, env, signal, ledger } = io;
  const terminal = json ? Terminal.silent() : new Terminal(stdout, env);
  const print = (value: object): void => void stdout.write(`${JSON.stringify(value)}\n`);
  const lines = file === undefined ? undefined : await readQueryFile(file);

  const choices = live ? (await castLive(terminal, env, signal)).choices : tutorialModels;
  const provider = live ? undefined : await startProvider();
  try {
    const pipeline = createPipeline({
      models: connectModels(choices, provider === undefined ? {} : endpointsOf(provider)),
      // A store goes on counting after this run: what may be spent in all is what may be spent today.
      limits: ledger === undefined ? { total: budgetUsd } : { daily: budgetUsd },
      ledger,
      onWarning: () => {}, // retired models were cast anew; the simulated provider still serves them
    });
    if (lines === undefined) {
      const result = await askQuery(query, pipeline, { terminal, json, signal });
      if (json)
        print({ version: 1, mode: live ? 'live' : 'simulated', models: nameModels(choices), ...result });
      return true;
    }
    const status = new Terminal(stderr, env);
    const failed = await askFile(lines, pipeline, {
      terminal,
      status,
      print: json ? print : undefined,
      signal,
    });
    return failed === 0;
  } finally {
    await provider?.close();
  }
}
