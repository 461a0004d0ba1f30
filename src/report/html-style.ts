// Style of the HTML report: one sheet, light and dark, no fonts or files from elsewhere.

/** Colours of series in the order of their use; told apart by people who see few colours too. */
export const SERIES_COLORS: readonly string[] = ["#3b76c4", "#d9822b", "#2a9d8f", "#b5559b", "#8a6d3b", "#6b7a8f"];

export const STYLE = `
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1b1f24; --faint: #5d6673; --line: #d9dde3; --wash: #f4f6f8; --warn: #9a5b00; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171b; --ink: #e6e9ed; --faint: #98a2ae; --line: #333a43; --wash: #1d2127; --warn: #e3a13c; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 84rem; padding: 1.5rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
p.faint, .note, .legend { color: var(--faint); margin: .2rem 0; }
.warn { color: var(--warn); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; white-space: nowrap; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: left; }
th { color: var(--faint); font-weight: 600; }
.right { text-align: right; }
.bars { display: grid; grid-template-columns: max-content 1fr; gap: .25rem .8rem; align-items: center; }
.bar { display: flex; align-items: center; gap: .5rem; font-variant-numeric: tabular-nums; }
.bar i { display: block; height: .9rem; min-width: 2px; border-radius: 2px; }
.key { display: inline-flex; align-items: center; gap: .35rem; margin-right: 1rem; }
.key i { width: .8rem; height: .8rem; border-radius: 2px; }
svg text { fill: var(--ink); font-size: 12px; }
svg .axis { stroke: var(--line); }
select { font: inherit; color: inherit; background: var(--wash); border: 1px solid var(--line); border-radius: 4px; padding: .2rem .4rem; }
.chart { background: var(--wash); border-radius: 6px; padding: .5rem; margin: .5rem 0; overflow: hidden; }
.u-legend { color: var(--ink); }
details { margin: 1rem 0; }
pre { overflow-x: auto; background: var(--wash); padding: .8rem; border-radius: 6px; }
`;
