/** Every fault of the simulated provider, through the whole stack: what is seen is what the table says. */
import { readFileSync } from 'node:fs';
import { failureRules } from '@synapsekit/core';
import { type FaultCut, faults, type KnownError } from '@synapsekit/testing';
import { describe, expect, test } from 'vitest';
import { adapterNames, expectedOf, type FaultCase, modesOf } from './fault-case.ts';
import { faultGroups } from './fault-cases.ts';
import { observe } from './fault-lab.ts';
import { faultPage } from './fault-page.ts';
import { faultOf, namedFaults } from './order.ts';
import { pagePath } from './page-path.ts';

const rows: readonly FaultCase[] = faultGroups.flatMap(({ cases }) => cases);

describe.each(faultGroups)('$title', ({ cases }) => {
  const cells = cases.flatMap((row) =>
    adapterNames.flatMap((adapter) => modesOf(row).map((mode) => ({ what: row.what, adapter, mode, row }))),
  );
  test.concurrent.each(cells)('$what: $adapter, $mode', async ({ row, adapter, mode }) => {
    const seen = await observe(row, adapter, mode);
    expect(seen).toEqual(expectedOf(row.seen, adapter, mode));
  });
});

describe('the table', () => {
  const makers = new Set(rows.flatMap(({ order }) => (namedFaults(order) ?? []).map(([name]) => name)));
  const ordered = rows.map(({ order }) => faultOf(order) ?? {});

  test.each(Object.keys(faults))('has `faults.%s`', (name) => {
    expect(makers).toContain(name);
  });

  const points = ['arrival', 'headers', 'content', 'midway'] as const;
  const ways: readonly FaultCut['how'][] = ['reset', 'hang-up', 'end', 'error', 'stall'];
  const pointOf = ({ at }: FaultCut) => (at === 0 ? 'content' : typeof at === 'number' ? 'midway' : at);
  test.each(points.flatMap((at) => ways.map((how) => ({ at, how }))))('has a cut at $at by $how', (cut) => {
    const cuts = ordered.flatMap((fault) => fault.cut ?? []).map((each) => [pointOf(each), each.how]);
    expect(cuts).toContainEqual([cut.at, cut.how]);
  });

  // As a record, so that the compiler asks for an error that is added.
  const known: Readonly<Record<KnownError, true>> = {
    missing_api_key: true,
    invalid_api_key: true,
    permission_denied: true,
    model_not_found: true,
    model_decommissioned: true,
    rate_limit_exceeded: true,
    insufficient_quota: true,
    capacity_exceeded: true,
    context_length_exceeded: true,
    content_policy_violation: true,
    server_error: true,
    overloaded: true,
  };
  test.each(Object.keys(known))('has the error %s', (name) => {
    expect(ordered.map(({ respond }) => respond?.error)).toContain(name);
  });

  test.each(['usage', 'finish-reason', 'done'] as const)('leaves out the %s', (part) => {
    expect(ordered.flatMap(({ omit = [] }) => omit)).toContain(part);
  });

  test.each(Object.keys(failureRules))('shows the kind "%s"', (kind) => {
    expect(faultPage(faultGroups)).toMatch(new RegExp(`\\\`ProviderError\\\` ${kind}\\b`));
  });

  test('is docs/faults.md; `pnpm docs:faults` writes it anew', () => {
    expect(readFileSync(pagePath, 'utf8')).toBe(faultPage(faultGroups));
  });
});
