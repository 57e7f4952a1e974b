// The clip from end to end: sound, speech, words, marks and observations in lanes over one another, drawn to the same scale.

import { html, useMemo, useRef } from "./vendor/preact-htm.js";
import { clockText } from "./parts.js";
import { columnsOf } from "./waveform.js";
import { currentLanguage, t, titled } from "./words.js";

const WIDTH = 1000, SOUND = 56, LANE = 16;
const COLUMNS = 500;

export function Timeline({ long, place, marks, damage, dialogue, beside, observations, words, onSeek }) {
  const frame = useRef(null);
  const waveform = beside?.waveform;
  const peaks = useMemo(() => (waveform && long ? columnsOf(waveform, COLUMNS, long) : []), [waveform, long]);
  if (!long) return null;
  const x = (ms) => (Math.min(long, Math.max(0, ms)) / long) * WIDTH;
  const stretch = (from, to, lane, kind, title) => html`<rect class=${kind} x=${x(from)} width=${Math.max(2, x(to) - x(from))} y=${SOUND + lane * LANE + 3}
    height=${LANE - 6} rx="2"><title>${title}</title></rect>`;
  const language = currentLanguage();
  const seekAt = (event) => {
    const box = frame.current.getBoundingClientRect();
    onSeek(((event.clientX - box.left) / box.width) * long);
  };
  const keys = (event) => {
    const to = { Home: 0, End: long, PageUp: place.ms - long / 10, PageDown: place.ms + long / 10 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    onSeek(to);
  };
  const [from, to] = place.range;
  return html`<div class="timeline">
    <svg ref=${frame} viewBox=${`0 0 ${WIDTH} ${SOUND + 4 * LANE}`} preserveAspectRatio="none" role="slider" tabindex="0"
      aria-label=${t("player.timeline")} aria-valuemin="0" aria-valuemax=${Math.round(long)} aria-valuenow=${Math.round(place.ms)}
      aria-valuetext=${clockText(place.ms)} onClick=${seekAt} onKeyDown=${keys}>
      ${peaks.length > 0 && html`<path class="sound" d=${peaks.map(([low, high], i) =>
        `M${(i * WIDTH) / COLUMNS} ${SOUND / 2 - (high / 128) * (SOUND / 2)}V${SOUND / 2 - (low / 128) * (SOUND / 2) + 0.5}`).join("")} />`}
      ${from !== null && to !== null && to > from && html`<rect class="range" x=${x(from)} width=${x(to) - x(from)} y="0" height=${SOUND + 4 * LANE} />`}
      ${(beside?.speech ?? []).map(([begin, end]) => stretch(begin, end, 0, "speech", clockText(begin)))}
      ${dialogue.map((part) => stretch(part.from_ms, part.to_ms, 1, "words", part.text))}
      ${marks.map((mark) => stretch(mark.at_ms, mark.until_ms ?? mark.at_ms, 2, "marker", `${titled(words.markers, mark.kind)} ${mark.note ?? ""}`))}
      ${observations.filter((one) => one.ms).map((one) => stretch(one.ms[0], one.ms[1], 3, `seen ${one.severity}`, one[language] || one.code))}
      ${damage.map(([begin, end]) => html`<rect class="damage" x=${x(begin)} width=${Math.max(4, x(end) - x(begin))} y="0" height=${SOUND + 4 * LANE}>
        <title>${t("timeline.damage")} ${clockText(begin)}</title></rect>`)}
      <line class="now" x1=${x(place.ms)} x2=${x(place.ms)} y1="0" y2=${SOUND + 4 * LANE} />
    </svg>
    <p class="row small quiet"><span>${clockText(0)}</span><span class="grow center">${from === null ? "" : `[ ${clockText(from)}`} ${to === null ? "" : `${clockText(to)} ]`}</span><span>${clockText(long)}</span></p>
  </div>`;
}
