/** The style sheet of the HTML report. */
export const style = `
:root{--bg:#fff;--fg:#1d2430;--dim:#667085;--line:#e3e7ee;--soft:#f6f8fb;--good:#12805c;--bad:#c4320a;--warn:#9a6700;--mark:#3b6fd4}
@media (prefers-color-scheme:dark){:root{--bg:#12161d;--fg:#e6eaf2;--dim:#9aa5b8;--line:#2a3240;--soft:#1a202b;--good:#4cc38a;--bad:#ff8a65;--warn:#e2b340;--mark:#7aa2f7}}
*{box-sizing:border-box}
body{margin:0 auto;padding:24px 20px 64px;max-width:1100px;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
h1{margin:0;font-size:22px}h2{margin:0 0 4px;font-size:14px}
.when{margin:2px 0 20px;color:var(--dim);font-size:13px}
.figures{display:flex;flex-wrap:wrap;gap:10px;margin-bottom:16px}
.figure{flex:1 1 120px;padding:10px 14px;border:1px solid var(--line);border-radius:8px}
.figure b{display:block;font-size:22px;line-height:1.2;font-variant-numeric:tabular-nums}
.figure span{color:var(--dim);font-size:13px}
.good b,.passed .state{color:var(--good)}.bad b,.failed .state,.error .state,.unchecked .state{color:var(--bad)}.warn b{color:var(--warn)}
.trouble{margin:0 0 12px;padding:8px 14px 10px;border:1px solid var(--bad);border-left-width:4px;border-radius:8px;overflow-wrap:anywhere}
.trouble p{margin:0}.trouble p:first-child{color:var(--bad);font-weight:600}.trouble .what{color:var(--fg)}
.suites p{margin:4px 0;padding:6px 12px;border-left:3px solid var(--warn);background:var(--soft)}
.suites .passed{border-color:var(--good)}.suites .failed,.suites .error{border-color:var(--bad)}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,380px),1fr));gap:16px;margin:16px 0 24px}
figure{margin:0;padding:12px 14px;border:1px solid var(--line);border-radius:8px}
figcaption,.empty{color:var(--dim);font-size:13px}
svg{display:block;width:100%;height:auto}svg text{fill:var(--dim);font-size:11px}
.grid{stroke:var(--line)}.mark{fill:var(--mark)}svg .bad{fill:var(--bad)}.curve{fill:none;stroke:var(--mark);stroke-width:2}
.tools{display:flex;gap:8px;align-items:center;margin-bottom:8px}
input,select,button{font:inherit;color:inherit;background:var(--bg);border:1px solid var(--line);border-radius:6px;padding:5px 10px}
#search{flex:1;min-width:0}#count{color:var(--dim);font-size:13px;white-space:nowrap}
table{width:100%;border-collapse:collapse}
th{text-align:left;padding:0 8px 0 0;border-bottom:2px solid var(--line)}th.number button{text-align:right}th button{border:0;padding:4px 0;background:none;font-weight:600;font-size:13px;color:var(--dim);cursor:pointer}
th[aria-sort] button{color:var(--fg)}th[aria-sort=ascending] button::after{content:" ↑"}th[aria-sort=descending] button::after{content:" ↓"}
td{padding:7px 8px 7px 0;border-bottom:1px solid var(--line);vertical-align:top}td:last-child,th:last-child{padding-right:0}
.number{text-align:right;padding-left:10px;font-variant-numeric:tabular-nums;white-space:nowrap}
.row{cursor:pointer}.row:hover td,.row:focus-within td{background:var(--soft)}
.name{display:flex;gap:8px;align-items:baseline;width:100%;padding:0;border:0;background:none;text-align:left;cursor:pointer;overflow-wrap:anywhere}
.state{font-weight:700;flex:none;width:1em}.place{display:block;color:var(--dim);font-size:12px;overflow-wrap:anywhere}
.chip{display:inline-block;margin:0 6px 2px 0;font-size:13px;white-space:nowrap}.chip.no{color:var(--bad)}.chip.yes{color:var(--dim)}
.detail td{background:var(--soft);padding:10px 14px 16px 26px}
.detail h3{margin:12px 0 4px;font-size:13px;color:var(--dim)}.detail h3:first-child{margin-top:0}
.detail ul{margin:0;padding:0;list-style:none}.detail li{overflow-wrap:anywhere}
pre{margin:4px 0;padding:8px 10px;max-height:260px;overflow:auto;border:1px solid var(--line);border-radius:6px;background:var(--bg);font:12px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
.no{color:var(--bad)}.flaky{color:var(--warn)}.dim{color:var(--dim)}
.scope{margin-left:0}.scope .scope{margin-left:14px}.scope>b{font-weight:600;font-size:13px}
.call{display:grid;grid-template-columns:minmax(150px,2fr) 3fr minmax(17em,max-content);gap:4px 12px;align-items:center;padding:3px 0 3px 14px;font-size:13px}
.call .who{overflow-wrap:anywhere}.track{position:relative;height:10px;border-radius:5px;background:var(--line)}
.track i{position:absolute;top:0;bottom:0;min-width:3px;border-radius:5px;background:var(--mark)}.track i.failed{background:var(--bad)}
.call .facts{color:var(--dim);white-space:nowrap;text-align:right;font-variant-numeric:tabular-nums}
@media (max-width:640px){body{padding:16px 12px 48px}.wide{display:none}.figure{flex-basis:42%}.figure b{font-size:19px}.call{grid-template-columns:1fr auto}.call .track{grid-column:1/-1;order:3}.call .facts{white-space:normal}.detail td{padding-left:12px}#count{display:none}svg text{font-size:14px}}
`;
