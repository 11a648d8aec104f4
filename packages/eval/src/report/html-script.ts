/** The script of the HTML report: it fills the table from the data in the page. Plain JavaScript, no libraries. */
export const script = `
'use strict';
const cases = JSON.parse(document.getElementById('data').textContent);
const body = document.querySelector('#cases tbody');
const search = document.getElementById('search');
const status = document.getElementById('status');
const more = document.getElementById('more');
const marks = { passed: '\\u2713', failed: '\\u2717', error: '\\u2717', unchecked: '\\u2717' };
const bad = (each) => ['failed', 'error', 'unchecked'].includes(each.status);
const keys = {
  name: (each) => each.name,
  metrics: (each) => each.metrics.filter((metric) => !metric.pass).length * -1,
  calls: (each) => each.calls.length,
  tokens: (each) => each.tokens,
  cost: (each) => each.costUsd,
  latency: (each) => each.latencyMs,
};
let order = { key: undefined, down: false };
let limit = 200;

function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== undefined && child !== ''));
  return node;
}

function chosen() {
  const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
  const wanted = status.value;
  const left = cases.filter((each) => {
    if (wanted === 'bad' && !bad(each)) return false;
    if (wanted === 'passed' && each.status !== 'passed') return false;
    if (wanted === 'left' && (bad(each) || each.status === 'passed')) return false;
    const text = [each.name, each.file, each.suite, each.description, ...each.tags].join(' ').toLowerCase();
    return words.every((word) => text.includes(word));
  });
  if (order.key === undefined) return left.sort((a, b) => bad(b) - bad(a));
  const read = keys[order.key];
  left.sort((a, b) => (read(a) < read(b) ? -1 : read(a) > read(b) ? 1 : 0));
  return order.down ? left.reverse() : left;
}

function draw() {
  const rows = chosen();
  body.replaceChildren(...rows.slice(0, limit).map(rowOf));
  more.hidden = rows.length <= limit;
  more.textContent = 'Show ' + Math.min(500, rows.length - limit) + ' more of ' + rows.length;
  document.getElementById('count').textContent = rows.length + ' of ' + cases.length;
}

function rowOf(each) {
  const place = [each.file && each.file + (each.line ? ':' + each.line : ''), each.suite].filter(Boolean).join(' \\u203a ');
  const label = each.status === 'passed' || each.status === 'failed' ? undefined : ' (' + each.status + ')';
  const button = el('button', { type: 'button', class: 'name', 'aria-expanded': 'false' },
    el('span', { class: 'state', 'aria-label': each.status }, marks[each.status] || '\\u2013'),
    el('span', {}, each.name, label ? el('span', { class: 'dim' }, label) : '', each.flaky ? el('span', { class: 'flaky' }, ' flaky') : '',
      el('span', { class: 'place' }, place)));
  const row = el('tr', { class: 'row ' + each.status },
    el('td', {}, button),
    el('td', { class: 'wide' }, ...each.metrics.map((metric) =>
      el('span', { class: 'chip ' + (metric.pass ? 'yes' : 'no') }, (metric.pass ? '\\u2713 ' : '\\u2717 ') + metric.name))),
    el('td', { class: 'number wide' }, each.calls.length ? String(each.calls.length) : '\\u2013'),
    el('td', { class: 'number wide' }, each.tokens ? each.tokens.toLocaleString('en-US') : '\\u2013'),
    el('td', { class: 'number' }, each.costText),
    el('td', { class: 'number' }, each.latencyText));
  row.addEventListener('click', () => {
    const open = row.nextSibling && row.nextSibling.className === 'detail';
    button.setAttribute('aria-expanded', String(!open));
    if (open) row.nextSibling.remove();
    else row.after(el('tr', { class: 'detail' }, detailOf(each)));
  });
  return row;
}

function detailOf(each) {
  const cell = el('td', { colspan: '6' });
  if (each.description) cell.append(el('p', { class: 'dim' }, each.description));
  const told = each.metrics.map((metric) => el('li', { class: metric.pass ? '' : 'no' },
    (metric.pass ? '\\u2713 ' : '\\u2717 ') + metric.name + (metric.detail ? ': ' + metric.detail : '') +
    (metric.error ? ': ' + metric.error.name + ': ' + metric.error.message : '')));
  if (told.length) cell.append(el('h3', {}, 'Metrics'), el('ul', {}, ...told));
  if (each.reason) cell.append(el('h3', {}, 'Why'), el('p', {}, each.reason), each.reasonDetail ? el('pre', {}, each.reasonDetail) : '');
  if (each.error) cell.append(el('h3', {}, 'Error'), el('pre', {}, errorText(each.error)));
  if (each.output !== undefined) cell.append(el('h3', {}, 'Output'), el('pre', {}, each.output));
  if (each.trials) cell.append(el('h3', {}, 'Tries'), el('ul', {}, ...each.trials.map((trial, index) =>
    el('li', { class: trial.status === 'passed' ? '' : 'no' }, (index + 1) + '. ' + trial.status + ' \\u00b7 ' + trial.costText + ' \\u00b7 ' + trial.latencyText + (trial.reason ? ' \\u00b7 ' + trial.reason : '')))));
  if (each.calls.length) cell.append(el('h3', {}, 'Calls by scope'), traceOf(each));
  if (each.cost.reportedUsd !== undefined) cell.append(el('p', { class: 'dim' }, 'The case itself reports $' + each.cost.reportedUsd + '.'));
  if (each.billedText) cell.append(el('p', { class: 'dim' }, 'Billed: ' + each.billedText + (each.traffic.replayed ? ', ' + each.traffic.replayed + ' of ' + each.traffic.requests + ' calls from tape.' : '.')));
  if (!cell.childNodes.length) cell.append(el('p', { class: 'dim' }, 'It asserted for itself (' + each.assertions + ' held), and made no call.'));
  return cell;
}

function errorText(error) {
  return error.name + ': ' + error.message + error.stack.map((frame) => '\\n  ' + frame).join('') +
    (error.cause ? '\\ncaused by ' + errorText(error.cause) : '');
}

function traceOf(each) {
  const end = Math.max(1, ...each.calls.map((call) => (call.startMs || 0) + (call.latencyMs || 0)));
  const root = { scopes: new Map(), calls: [] };
  for (const call of each.calls) {
    let node = root;
    for (const name of call.scopes || []) {
      if (!node.scopes.has(name)) node.scopes.set(name, { scopes: new Map(), calls: [] });
      node = node.scopes.get(name);
    }
    node.calls.push(call);
  }
  const draw = (node) => [
    ...node.calls.map((call) => callOf(call, end)),
    ...[...node.scopes].map(([name, inner]) => el('div', { class: 'scope' }, el('b', {}, name), ...draw(inner))),
  ];
  return el('div', { class: 'scope' }, ...draw(root));
}

function callOf(call, end) {
  const failed = call.outcome !== undefined && call.outcome !== 'served';
  const bar = el('i', failed ? { class: 'failed' } : {});
  bar.style.left = (100 * (call.startMs || 0)) / end + '%';
  bar.style.width = (100 * (call.latencyMs || 0)) / end + '%';
  const usage = call.usage ? call.usage.inputTokens + ' + ' + call.usage.outputTokens + ' tokens' : '';
  return el('div', { class: 'call' },
    el('span', { class: 'who' }, call.model, failed ? el('span', { class: 'no' }, ' ' + call.outcome + (call.errorCode ? ' (' + call.errorCode + ')' : '')) : ''),
    el('span', { class: 'track' }, bar),
    el('span', { class: 'facts' }, [usage, failed && call.usd === undefined ? '' : call.usdText, call.latencyText].filter(Boolean).join(' \\u00b7 ')));
}

search.addEventListener('input', draw);
status.addEventListener('change', draw);
more.addEventListener('click', () => { limit += 500; draw(); });
for (const button of document.querySelectorAll('[data-sort]')) {
  button.addEventListener('click', () => {
    const key = button.dataset.sort;
    order = { key, down: order.key === key ? !order.down : key !== 'name' };
    for (const head of document.querySelectorAll('th')) head.removeAttribute('aria-sort');
    button.parentNode.setAttribute('aria-sort', order.down ? 'descending' : 'ascending');
    draw();
  });
}
draw();
`;
