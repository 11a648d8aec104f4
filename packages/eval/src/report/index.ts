export { formatHtml, type HtmlOptions } from './html.ts';
export { formatJUnit, type JUnitOptions } from './junit.ts';
export type { RunTrouble } from './trouble.ts';
