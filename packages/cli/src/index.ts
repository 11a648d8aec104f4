export { type CliHost, type CliIo, type CliStream, Interruption } from './io.ts';
export type { LoadError } from './load-error.ts';
export { type OpenedLedger, openLedger } from './open-ledger.ts';
export { runCli } from './run-cli.ts';
export type { TestReport } from './test-report.ts';
