// Bars in SVG, made to be printed: a pattern as well as a colour, the number beside each bar; the table has it all again.

import { html } from "./vendor/preact-htm.js";

const ROW = 26;
const LEFT = 190;
const WIDTH = 800;
const RIGHT = 120;
const LABEL_MAX = 15;
const short = (text) => ([...text].length > LABEL_MAX ? `${[...text].slice(0, LABEL_MAX - 1).join("")}…` : text);

// series: [{ key, name }], in the order in which they are stacked; rows: [{ key, name, values: { key: number }, text }].
export function Bars({ title, series, rows }) {
  const sum = (row) => series.reduce((all, one) => all + row.values[one.key], 0);
  const most = Math.max(1e-9, ...rows.map(sum));
  const scale = (value) => (value / most) * (WIDTH - LEFT - RIGHT);
  const height = rows.length * ROW + 8;
  return html`<figure class="chart"><figcaption>${title}
      ${series.length > 1 && html`<span class="legend">${series.map((one) => html`<span><svg width="18" height="12" aria-hidden="true"><${Fills} />
        <rect class=${`bar-${one.key}`} width="18" height="12" /></svg> ${one.name}</span>`)}</span>`}</figcaption>
    <svg viewBox=${`0 0 ${WIDTH} ${height}`} role="img" aria-label=${title}><${Fills} />
      <line class="axis" x1=${LEFT} x2=${LEFT} y1="0" y2=${height} />
      ${rows.map((row, place) => {
        const y = place * ROW + 6;
        let x = LEFT;
        return html`<g key=${row.key}><title>${`${row.name}: ${row.text}`}</title>
          <text class="name" x=${LEFT - 8} y=${y + 13} text-anchor="end">${short(row.name)}</text>
          ${series.map((one) => {
            const from = x;
            x += scale(row.values[one.key]);
            return html`<rect class=${`bar-${one.key}`} x=${from} y=${y} width=${x - from} height=${ROW - 9} />`;
          })}
          <text x=${x + 6} y=${y + 13}>${row.text}</text></g>`;
      })}</svg></figure>`;
}

const Fills = () => html`<defs>
  <pattern id="hatched" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="under" width="6" height="6" /><line class="stroke" x1="0" y1="0" x2="0" y2="6" /></pattern>
  <pattern id="dotted" width="6" height="6" patternUnits="userSpaceOnUse"><rect class="under" width="6" height="6" /><circle class="dot" cx="3" cy="3" r="1.4" /></pattern>
</defs>`;
