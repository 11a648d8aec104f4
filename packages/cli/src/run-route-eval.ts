import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigError, type Prompt } from '@synapsekit/core';
import {
  type EvaluatedRouter,
  evaluateRouters,
  heldOutName,
  type OutcomeTableOptions,
  type ReportedRouter,
  type RouteReport,
} from '@synapsekit/router/offline';
import { readOutcomes } from '@synapsekit/router/outcomes';
import { usesColor } from './colors.ts';
import { type CliIo, exitCodes } from './io.ts';
import type { FailUnder } from './route-eval-command.ts';
import { reportTable } from './route-table.ts';
import { pathIn, readModel, routeWork, writeOutput } from './route-work.ts';

/** What is to be measured, and how it is told. */
export interface RouteEvalRequest {
  readonly file: string;
  readonly routers: readonly string[];
  readonly learned: boolean;
  readonly cascade: boolean;
  readonly failUnder: FailUnder | undefined;
  readonly html: string | undefined;
  readonly draws: number | undefined;
  readonly seed: number;
  readonly table: Pick<OutcomeTableOptions, 'weak' | 'strong' | 'costsUsd'>;
  readonly reading: { readonly maxScore?: number };
  readonly json: boolean;
  readonly noColor: boolean;
}

/** Measures routers and prints what they are worth. */
export function runRouteEval(request: RouteEvalRequest, io: CliIo): Promise<number> {
  return routeWork(io, async (progress) => {
    const { signal } = io;
    progress.show(0, 'read');
    const routers = (await Promise.all(request.routers.map((path) => loadRouters(io, path)))).flat();
    const rows = await readOutcomes(pathIn(io, request.file), {
      ...request.reading,
      responses: request.cascade,
      signal,
    });
    const report = await evaluateRouters(rows, {
      ...request.table,
      routers,
      learned: request.learned,
      cascade: request.cascade,
      draws: request.draws,
      seed: request.seed,
      onProgress: progress.show,
      signal,
    });
    progress.hide();
    if (request.html !== undefined) {
      const { reportHtml } = await import('./route-html.ts');
      writeOutput(io, request.html, reportHtml(report, basename(request.file)));
    }
    const failures = failuresOf(report, request.failUnder);
    if (request.json) io.stdout.write(`${JSON.stringify({ ...report, failures }, undefined, 2)}\n`);
    else {
      io.stdout.write(reportTable(report, { color: usesColor(io, io.stdout, request.noColor) }));
      if (request.html !== undefined) io.stdout.write(`Curves: ${request.html}\n`);
      for (const failure of failures) io.stderr.write(`${failure}\n`);
    }
    return failures.length === 0 ? exitCodes.ok : exitCodes.failed;
  });
}

/** The routers given; where none are, what training would give is what is judged. */
function failuresOf(report: RouteReport, limit: FailUnder | undefined): string[] {
  if (limit === undefined) return [];
  const given = report.routers.filter(({ kind }) => kind === 'router');
  const judged = given.length > 0 ? given : report.routers.filter(({ name }) => name === heldOutName);
  if (judged.length === 0) return ['There is no router to judge: name one with --router.'];
  return judged.flatMap((router) => {
    const low = router.apgr?.low;
    if (low === undefined) return [`${router.name} could not be measured: ${router.unmeasured ?? 'no gap'}.`];
    const least = leastOf(router, limit);
    if (low > least) return [];
    const what = limit === 'length' ? `the ${least.toFixed(3)} of prompt length or a coin` : String(limit);
    return [
      `${router.name} is under the limit: the lower bound of its APGR, ${low.toFixed(3)}, is not above ${what}.`,
    ];
  });
}

function leastOf({ lengthApgr = 0.5 }: ReportedRouter, limit: FailUnder): number {
  return limit === 'length' ? Math.max(0.5, lengthApgr) : limit;
}

/** A model file, or the functions that a module exports. */
async function loadRouters(io: CliIo, path: string): Promise<readonly EvaluatedRouter[]> {
  if (/\.json$/i.test(path)) return [{ name: basename(path, '.json'), model: await readModel(io, path) }];
  const fail = (message: string, cause?: unknown): ConfigError =>
    new ConfigError(`${path}: ${message}`, { option: 'router', cause });
  if (!/\.[cm]?[jt]s$/i.test(path)) {
    throw fail('a router is a .json file of "route train", or a JavaScript or TypeScript module.');
  }
  let exported: Readonly<Record<string, unknown>>;
  try {
    exported = await import(pathToFileURL(pathIn(io, path)).href);
  } catch (error) {
    throw fail(`it does not load: ${error instanceof Error ? error.message : String(error)}`, error);
  }
  const functions = Object.entries(exported).filter(([, value]) => typeof value === 'function');
  if (functions.length === 0) throw fail('it exports no function (prompt) => number.');
  const file = basename(path).replace(/\.[cm]?[jt]s$/i, '');
  return functions.map(([name, score]) => ({
    name: name === 'default' ? file : name,
    score: score as (prompt: Prompt) => number,
  }));
}
