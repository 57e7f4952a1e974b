// Which seconds of which exhibits go into a package in the place of originals. The service finds out what holds them.

import { html } from "./vendor/preact-htm.js";
import { get } from "./api.js";
import { Choice, Field } from "./acting.js";
import { Stated, clockText, useAsked } from "./parts.js";
import { t } from "./words.js";

const TIME = /^(?:(?:(\d{1,3}):)?(\d{1,2}):)?(\d{1,6})(?:\.(\d{1,3}))?$/;

// Milliseconds of a time as the player shows it, seconds alone too; null for what is none.
export function millisecondsOf(text) {
  const match = TIME.exec(text.trim());
  if (!match) return null;
  const [hours, minutes, seconds] = match.slice(1, 4).map((part) => Number(part ?? 0));
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + Number((match[4] ?? "").padEnd(3, "0"));
}

// What the order says of them; null while one of them is not whole.
export function spansOf(rows) {
  const spans = rows.map(({ clip, from, to }) => ({ clip, from_ms: millisecondsOf(from), to_ms: millisecondsOf(to) }));
  return spans.every(isWhole) ? spans : null;
}

const isWhole = ({ clip, from_ms, to_ms }) => clip !== "" && from_ms !== null && to_ms !== null && from_ms < to_ms;

export function Enclosing({ one, rows, onPut }) {
  const asked = useAsked((signal) => get(`/v1/cases/${one.case}/clips`, { limit: 200 }, signal), [one.case]);
  const put = (place, change) => onPut(rows.map((row, at) => (at === place ? { ...row, ...change } : row)));
  return html`<p class="quiet small">${t("enclosing.about")}</p><${Stated} asked=${asked}>${({ items }) => {
    const exhibits = items.map(({ clip, exhibit }) => [clip, `${one.number}-${exhibit}`]);
    if (!exhibits.length) return html`<p class="empty">${t("file.no_exhibits")}</p>`;
    return html`${rows.map((row, place) => html`<${Row} key=${place} row=${row} exhibits=${exhibits}
        onPut=${(change) => put(place, change)} onDrop=${() => onPut(rows.filter((_, at) => at !== place))} />`)}
      <p><button type="button" class="add" onClick=${() => onPut([...rows, { clip: exhibits[0][0], from: "", to: "" }])}>${t("enclosing.add")}</button></p>`;
  }}</${Stated}>`;
}

function Row({ row, exhibits, onPut, onDrop }) {
  const [from, to] = [millisecondsOf(row.from), millisecondsOf(row.to)];
  const wrong = (text, ms) => (text && ms === null ? t("enclosing.no_time") : null);
  const behind = from !== null && to !== null && to <= from ? t("enclosing.behind") : null;
  return html`<fieldset class="fields span"><legend class="quiet small">${t("enclosing.span")}</legend>
    <${Choice} name="clip" label=${t("enclosing.exhibit")} value=${row.clip} options=${exhibits} onPut=${(clip) => onPut({ clip })} />
    <${Field} name="from" label=${t("enclosing.from")} value=${row.from} placeholder="12:30" wrong=${wrong(row.from, from)} onPut=${(text) => onPut({ from: text })} />
    <${Field} name="to" label=${t("enclosing.to")} value=${row.to} placeholder="13:00" wrong=${wrong(row.to, to) ?? behind} onPut=${(text) => onPut({ to: text })} />
    <button type="button" class="plain" onClick=${onDrop}>${t("enclosing.drop")}</button></fieldset>`;
}

// Of a package that was ordered: that not all of it is originals, and which seconds.
export const Enclosed = ({ spans }) => spans.length > 0 && html`<p class="small">
  ${t("enclosing.partly", { count: new Set(spans.map(({ clip }) => clip)).size })}
  ${" "}${spans.map(({ from_ms, to_ms }) => `${clockText(from_ms)}–${clockText(to_ms)}`).join("，")}</p>`;
