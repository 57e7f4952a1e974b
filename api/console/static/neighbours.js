// What the same recorder recorded before and after, on the same day: looked for as anybody would, so that nobody is led to
// what they may not know of.

import { html } from "./vendor/preact-htm.js";
import { get } from "./api.js";
import { Instant, clockText, dayText, quoted, useAsked } from "./parts.js";
import { t } from "./words.js";

const PAGES_MAX = 5;

async function ofThatDay(source, signal) {
  const found = [];
  let cursor;
  for (let page = 0; page < PAGES_MAX; page++) {
    const q = `recorder:${quoted(source.recorder)} recorded:${dayText(source.recorded_at)}`;
    const { items, next } = await get("/v1/clips", { q, limit: 200, cursor }, signal);
    found.push(...items);
    if (!(cursor = next)) break;
  }
  return found.sort((one, other) => Date.parse(one.recorded_at) - Date.parse(other.recorded_at));
}

export function Neighbours({ detail, long }) {
  const source = detail.sources.find((one) => one.recorder && one.recorded_at);
  const asked = useAsked((signal) => (source ? ofThatDay(source, signal) : Promise.resolve([])), [detail.clip]);
  if (!source || !asked.data) return null;
  const at = Date.parse(source.recorded_at);
  const others = asked.data.filter((one) => one.clip !== detail.clip);
  const before = others.findLast((one) => Date.parse(one.recorded_at) <= at);
  const after = others.find((one) => Date.parse(one.recorded_at) > at);
  if (!before && !after) return null;
  const gap = after && long ? Date.parse(after.recorded_at) - at - long : null;
  return html`<nav class="row small neighbours" aria-label=${t("neighbours.title")}>
    ${before && html`<a href=${`#/clips/${before.clip}`}>← ${t("neighbours.before")} <${Instant} at=${before.recorded_at} source=${t("column.recorder")} /></a>`}
    <span class="grow"></span>
    ${after && html`<a href=${`#/clips/${after.clip}`}>${t("neighbours.after")} <${Instant} at=${after.recorded_at} source=${t("column.recorder")} /> →</a>`}
    ${gap !== null && html`<span class="quiet">${gap >= 0 ? t("neighbours.gap", { length: clockText(gap) }) : t("neighbours.overlap", { length: clockText(-gap) })}</span>`}
  </nav>`;
}
