import { describe, expect, test } from 'vitest';
import { Claims } from './claims.ts';
import { settle, toDocument } from './closing.ts';
import { Progress } from './progress.ts';
import { printTable } from './table.ts';
import { type Sink, Terminal, wantsColor } from './terminal.ts';
import { displayWidth } from './text.ts';

class Page implements Sink {
  text = '';
  readonly isTTY: boolean;
  readonly columns: number | undefined;

  constructor(options: { readonly isTTY?: boolean; readonly columns?: number } = {}) {
    this.isTTY = options.isTTY ?? false;
    this.columns = options.columns;
  }

  write(text: string): void {
    this.text += text;
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }
}

describe('colours', () => {
  test.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [true, { TERM: 'dumb' }, false],
    [false, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
    [true, { FORCE_COLOR: '0' }, false],
  ])('on a terminal: %s, with %o: %s', (isTTY, env, wanted) => {
    expect(wantsColor(new Page({ isTTY }), env)).toBe(wanted);
  });

  test('a pipe gets plain text, a terminal the same text in colour', () => {
    const [pipe, screen] = [new Page(), new Page({ isTTY: true })];
    for (const page of [pipe, screen]) {
      const terminal = new Terminal(page);
      terminal.heading('Costs');
      new Claims(terminal).check('it adds up', true, '$0.01');
    }
    expect(pipe.text).not.toContain('\u001b');
    expect(screen.text).toContain('\u001b[32m✓');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the codes are taken out
    expect(screen.text.replaceAll(/\u001b\[\d+m/g, '')).toBe(pipe.text);
  });
});

describe('tables', () => {
  const columns = [{ title: 'name' }, { title: 'cost', align: 'right' as const }, { title: 'answer' }];
  const rows = [
    ['short', '$0.01', 'yes'],
    ['somewhat longer', { text: '$10.00', style: 'green' as const }, 'word '.repeat(40)],
  ];

  test('align their columns whatever the style of a cell, and fit the terminal', () => {
    const page = new Page({ columns: 70 });
    printTable(new Terminal(page), columns, rows);
    expect(page.lines).toMatchObject([
      '  name               cost  answer',
      '  short             $0.01  yes',
      expect.stringMatching(/^ {2}somewhat longer {2}\$10\.00 {2}word .*…$/),
    ]);
    expect(Math.max(...page.lines.map(displayWidth))).toBe(70);
  });

  test('take the room from the column that is said to be flexible', () => {
    const page = new Page({ columns: 60 });
    const wide = [
      { title: 'path', width: 70, flexible: true },
      { title: 'cost', width: 12, align: 'right' as const },
    ];
    printTable(new Terminal(page), wide, [['a > b', '$0.00000767']]);
    expect(page.lines[1]).toMatch(/^ {2}a > b +\$0\.00000767$/);
    expect(page.lines[1]).toHaveLength(60);
  });
});

describe('claims', () => {
  test('keep what did not hold', () => {
    const page = new Page();
    const claims = new Claims(new Terminal(page));
    claims.check('two is two', true);
    claims.check('two is three', false, '2 and 3');
    expect(page.lines).toEqual(['  ✓ two is two', '  ✗ two is three: 2 and 3']);
    expect(claims.failed).toEqual([{ claim: 'two is three', ok: false, detail: '2 and 3' }]);
  });

  test('decide how the demo ends, and one that did not hold is named again', () => {
    const page = new Page();
    const terminal = new Terminal(page);
    const claims = new Claims(terminal);
    claims.check('two is two', true);
    expect(settle(terminal, claims)).toBe(true);
    claims.check('two is three', false, '2 and 3');
    expect(settle(terminal, claims)).toBe(false);
    expect(page.lines.at(-1)).toBe('  1 of 2 claims did not hold: two is three.');
    expect(JSON.parse(toDocument(claims, { mode: 'test' }))).toMatchObject({
      ok: false,
      mode: 'test',
      claims: [{ ok: true }, { ok: false }],
    });
  });
});

describe('progress', () => {
  test('is shown on a terminal, cleared for other lines, and never gets into a file', () => {
    const [screen, file] = [new Page({ isTTY: true }), new Page()];
    for (const page of [screen, file]) {
      const progress = new Progress(new Terminal(page, { NO_COLOR: '1' }));
      progress.show('1 of 2');
      progress.clear();
      progress.clear();
    }
    expect(screen.text).toBe('\r\u001b[2K1 of 2\r\u001b[2K');
    expect(file.text).toBe('');
  });
});
