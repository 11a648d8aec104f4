import type { Command, FlagSpec } from './command.ts';

/** The help of a command. */
export function commandHelp({ usage, about, flags, notes }: Command): string {
  const rows = [
    ...Object.entries(flags),
    ['help', { type: 'boolean', short: 'h', help: 'Show this help.' }] as const,
  ];
  const left = rows.map(([name, flag]) => flagForm(name, flag));
  const width = Math.max(...left.map(({ length }) => length));
  return [
    ...usage.map((line, index) => `${index === 0 ? 'Usage:' : '      '} synapsekit ${line}`),
    '',
    about,
    '',
    'Flags:',
    ...rows.map(([, { help }], index) => `  ${(left[index] ?? '').padEnd(width)}  ${help}`),
    ...(notes === undefined ? [] : ['', notes]),
    '',
  ].join('\n');
}

function flagForm(name: string, { short, value }: FlagSpec): string {
  return `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;
}
