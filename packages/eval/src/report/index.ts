export { formatHtml, type HtmlOptions } from './html.ts';
export { formatJUnit } from './junit.ts';
