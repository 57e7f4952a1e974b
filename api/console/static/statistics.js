// Figures at a checkpoint, as charts and as the table that they are drawn from; and random samples of cases.

import { html } from "./vendor/preact-htm.js";
import { get } from "./api.js";
import { Bars } from "./charts.js";
import { every } from "./live.js";
import { Stated, bytesText, shownText, useAsked } from "./parts.js";
import { Samples } from "./samples.js";
import { learn, t } from "./words.js";
import { WORDS } from "./words/statistics.js";

learn(WORDS);

const STATISTICS = "/v1/statistics";
const GROUPED = ["unit", "officer", "item", "recorder", "month"];
const BARS_MAX = 25;
const percent = (part, whole) => (whole ? `${((part * 100) / whole).toFixed(1)} %` : "—");
const hours = (one) => one.milliseconds / 3600000;

export function Page({ where, me }) {
  const by = GROUPED.includes(where.query.get("by")) ? where.query.get("by") : "unit";
  const size = where.query.get("size");
  const asked = useAsked((signal) => Promise.all([get(STATISTICS, { by, size }, signal), namesOf(by, signal)]), [by, size]);
  const equipment = useAsked((signal) => get("/v1/equipment", {}, signal), []);
  return html`<article class="statistics">
    <h1>${t("stats.title")}</h1>
    <nav class="row choices" aria-label=${t("stats.by")}>${GROUPED.map((name) => html`<a class="choice" href=${`#/statistics?by=${name}`} aria-current=${name === by ? "true" : undefined}>${t(`by.${name}`)}</a>`)}
      <span class="grow"></span>
      <a href=${`${STATISTICS}?${new URLSearchParams({ by, form: "csv", ...(size ? { size } : {}) })}`} download=${`shilu-${by}.csv`}>${t("stats.csv")}</a>
      <button type="button" onClick=${() => print()}>${t("stats.print")}</button></nav>
    <${Stated} asked=${asked}>${([made, names]) => html`<${Figures} made=${made} names=${names} by=${by} />`}</${Stated}>
    <section class="card part"><h2>${t("stats.equipment")}</h2><${Stated} asked=${equipment}>${(data) => html`<${Equipment} data=${data} />`}</${Stated}></section>
    ${me.role !== "administrator" && html`<${Samples} me=${me} />`}
  </article>`;
}

async function namesOf(by, signal) {
  if (by === "unit") return new Map((await every("/v1/units", {}, signal)).items.map((one) => [one.unit, one.name]));
  if (by === "officer") return new Map((await every("/v1/officers", {}, signal)).items.map((one) => [one.officer, `${one.name} ${one.number}`]));
  return new Map();
}

function Figures({ made, names, by }) {
  const name = (key) => shownText(names.get(key) ?? key) || t("stats.unknown");
  const groups = by === "month" ? made.groups : [...made.groups].sort((one, other) => other.clips - one.clips);
  if (!groups.length) return html`<p class="empty">${t("stats.none")}</p>`;
  const rows = (values, text) => groups.slice(0, BARS_MAX).map((one) => ({ key: one.key, name: name(one.key), values: values(one), text: text(one) }));
  const series = ["on_time", "late", "undated"].map((key) => ({ key, name: t(`count.${key}`) }));
  return html`<p class="basis">${t("stats.basis", { size: made.size, root: made.root.slice(0, 16), rules: made.rules, calendar: made.calendar, zone: made.zone })}
      ${" "}<a href=${`#/statistics?by=${by}&size=${made.size}`}>${t("stats.link")}</a></p>
    ${made.units && html`<p class="note">${t("stats.own_units")}</p>`}
    <section class="card part"><${Bars} title=${t("stats.clips")} series=${series} rows=${rows((one) => one, (one) => `${one.clips}`)} />
      <${Bars} title=${t("stats.late_share")} series=${[{ key: "late", name: "" }]} rows=${rows((one) => ({ late: one.clips ? one.late / one.clips : 0 }), (one) => percent(one.late, one.on_time + one.late))} />
      <${Bars} title=${t("stats.hours")} series=${[{ key: "on_time", name: "" }]} rows=${rows((one) => ({ on_time: hours(one) }), (one) => hours(one).toFixed(1))} />
      <${Bars} title=${t("stats.bytes")} series=${[{ key: "on_time", name: "" }]} rows=${rows((one) => ({ on_time: one.bytes + one.made_bytes }), (one) => bytesText(one.bytes + one.made_bytes))} />
      ${groups.length > BARS_MAX && html`<p class="quiet">${t("stats.rest", { count: BARS_MAX })}</p>`}</section>
    <section class="card part"><h2>${t("stats.table")}</h2><${Table} made=${made} groups=${groups} name=${name} by=${by} /></section>`;
}

const COUNTED = ["clips", "on_time", "late", "provisional", "undated", "uncovered", "key_marked", "verified"];

function Table({ made, groups, name, by }) {
  const row = (one, title) => html`<tr key=${one.key}><th scope="row">${title}</th>${COUNTED.map((key) => html`<td>${one[key]}</td>`)}<td>${percent(one.late, one.on_time + one.late)}</td>
    <td>${hours(one).toFixed(1)}</td><td>${bytesText(one.bytes + one.made_bytes)}</td><td>${one.cost === null ? "—" : `${one.cost} ${made.currency}`}</td></tr>`;
  return html`<div class="scroll" tabindex="0" role="group" aria-label=${t("stats.table")}><table class="dense numbers"><thead><tr><th scope="col">${t(`by.${by}`)}</th>${COUNTED.map((key) => html`<th scope="col">${t(`count.${key}`)}</th>`)}
      <th scope="col">${t("stats.late_share")}</th><th scope="col">${t("stats.hours")}</th><th scope="col">${t("stats.bytes")}</th><th scope="col">${t("stats.cost")}</th></tr></thead>
    <tbody>${groups.map((one) => row(one, name(one.key)))}</tbody><tfoot>${row(made.total, t("stats.total"))}</tfoot></table></div>`;
}

function Equipment({ data }) {
  if (!data.units.length) return html`<p class="quiet">${t("state.none")}</p>`;
  const rows = data.units.map((one) => ({ key: one.unit, name: shownText(one.unit), values: { [one.below_target ? "late" : "on_time"]: one.ratio, [one.below_target ? "on_time" : "late"]: 0 },
    text: t(one.below_target ? "stats.below" : "stats.ratio", { ratio: one.ratio.toFixed(2), recorders: one.recorders, officers: one.officers }) }));
  return html`<${Bars} title=${t("stats.target", { target: data.target })} series=${[{ key: "on_time", name: t("stats.enough") }, { key: "late", name: t("stats.too_few") }]} rows=${rows} />`;
}
