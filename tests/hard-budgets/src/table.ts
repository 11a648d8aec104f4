import { usdDecimal } from '@synapsekit/core';
import { falseRate, type Row } from './claims.ts';

const head = [
  'load',
  'store',
  'calls',
  'admitted',
  'refused',
  'overshoot',
  'false refusals',
  'spent of the limit',
  'leaked holds',
];

function cells(row: Row): readonly string[] {
  const { calls, admitted, refused, overshootPico, falseRefusals, utilisation, leakedHolds } = row;
  const count = (value: number | undefined): string =>
    value === undefined ? '–' : value.toLocaleString('en');
  const share = (value: number | undefined, digits: number): string =>
    value === undefined ? '–' : `${(value * 100).toFixed(digits)} %`;
  return [
    row.scenario,
    row.subject,
    count(calls),
    count(admitted),
    count(refused),
    `$${usdDecimal(overshootPico)}`,
    falseRefusals === undefined ? '–' : `${count(falseRefusals)} (${share(falseRate(row), 2)})`,
    share(utilisation, utilisation === 1 ? 0 : 2),
    count(leakedHolds),
  ];
}

/** One row as text, with the claims that are not true. */
export function rowToText(row: Row): string {
  const [load, store, ...figures] = cells(row);
  const named = figures.map((figure, index) => `${head[index + 2]} ${figure}`).join(', ');
  const marks = row.claims.map(
    ({ what, isTrue, figures: by }) => `  ${isTrue ? '✓' : '✗'} ${what} (${by.trim()})`,
  );
  const note = row.note === undefined ? [] : [`  ${row.note}`];
  return [`${load}: ${store} (${row.seconds.toFixed(1)} s)`, `  ${named}`, ...note, ...marks, ''].join('\n');
}

/** The table of the docs. */
export function toMarkdown(rows: readonly Row[], about: string): string {
  const lines = rows.map((row) => `| ${cells(row).join(' | ')} |`);
  const notes = rows.flatMap((row) =>
    row.note === undefined ? [] : [`- ${row.scenario}, ${row.subject}: ${row.note}.`],
  );
  return [
    `| ${head.join(' | ')} |`,
    `|${' --- |'.repeat(head.length)}`,
    ...lines,
    '',
    ...notes,
    '',
    about,
    '',
  ].join('\n');
}

/** Rows as JSON can carry them: amounts as exact decimal strings. */
export function toJson(rows: readonly Row[], seed: number): string {
  const plain = rows.map(({ overshootPico, ...row }) => {
    return {
      ...row,
      overshootUsd: usdDecimal(overshootPico),
      falseRefusalRate: falseRate({ ...row, overshootPico }),
    };
  });
  return JSON.stringify({ seed, rows: plain }, undefined, 2);
}
