// How the house does, for whoever looks after it: what needs a person first, everything else quietly below it.
// An administrator manages and sees no footage: what the service would refuse is not asked for, and is named at the end.

import { html, useEffect, useState } from "./vendor/preact-htm.js";
import { get } from "./api.js";
import { Docks } from "./docks.js";
import { Fresh, every, useDocks, useFresh } from "./live.js";
import { AuditFound, ClipsFound, Due, Holds, Jobs, Late, LogHealth, Recorders, RecorderFound, Storage } from "./wellbeing.js";
import { needs } from "./needs.js";
import { Badge, Instant } from "./parts.js";
import { learn, t } from "./words.js";
import { WORDS } from "./words/operations.js";

learn(WORDS);

const OVERSEER = ["administrator", "auditor"];
const VIEWER = ["investigator", "reviewer", "archivist", "auditor"];
const STILL_SECONDS = 60;

export function Page({ me }) {
  const oversees = OVERSEER.includes(me.role);
  return oversees ? html`<${Overseen} me=${me} />` : html`<${Board} me=${me} />`;
}

// Docks are told to overseers alone; nobody else opens a stream.
function Overseen({ me }) {
  const docks = useDocks();
  const house = useFresh((signal) => get("/v1/operations", {}, signal), 15);
  return html`<${Board} me=${me} docks=${docks} house=${house} />`;
}

function Board({ me, docks, house }) {
  const views = VIEWER.includes(me.role);
  const asked = (may, ask) => useFresh((signal) => (may ? ask(signal) : Promise.resolve(null)), STILL_SECONDS);
  const recorders = asked(true, (signal) => every("/v1/recorders", {}, signal));
  const officers = asked(true, (signal) => every("/v1/officers", {}, signal));
  const noticed = asked(true, (signal) => get("/v1/recorders/findings", { limit: 200 }, signal));
  const figures = asked(true, (signal) => get("/v1/statistics", { by: "unit" }, signal));
  const units = asked(true, (signal) => every("/v1/units", {}, signal));
  const overdue = asked(views, (signal) => get("/v1/deadlines", { kind: "storing", state: "overdue", limit: 100 }, signal));
  const clips = asked(views, (signal) => get("/v1/clips", { q: "findings:open", limit: 50 }, signal));
  const due = asked(views, (signal) => get("/v1/retention/due", { limit: 100 }, signal));
  const holds = asked(views, (signal) => get("/v1/holds", { limit: 100 }, signal));
  const all = { docks, house, recorders, officers, noticed, overdue, clips, due };
  const parts = Object.values({ ...all, figures, units, holds }).filter(Boolean);
  const hidden = [[!docks, "docks"], [!house, "ledger"], [!house, "jobs"], [!views, "clips"], [!views, "retention"]].filter(([is]) => is);
  return html`<article class="operations">
    <h1>${t("ops.title")}</h1>
    <${AsOf} parts=${parts} />
    <${Needs} all=${all} parts=${parts} />
    ${docks && html`<${Part} name="docks"><${Docks} docks=${docks} /></${Part}>`}
    <${Part} name="recorders"><${Recorders} recorders=${recorders} officers=${officers} /></${Part}>
    <div class="parts">
      <${Part} name="late"><${Late} overdue=${views ? overdue : null} figures=${figures} units=${units} /></${Part}>
      <${Part} name="findings">
        ${house && html`<h3>${t("found.audit")}</h3><${Fresh} asked=${house}>${(data) => html`<${AuditFound} audit=${data.audit} views=${views} />`}</${Fresh}>`}
        ${views && html`<h3>${t("found.clips")}</h3><${Fresh} asked=${clips}>${(page) => html`<${ClipsFound} page=${page} />`}</${Fresh}>`}
        <h3>${t("found.recorders")}</h3><${Fresh} asked=${noticed}>${(page) => html`<${RecorderFound} page=${page} views=${views} />`}</${Fresh}>
      </${Part}>
      ${house && html`<${Part} name="ledger"><${Fresh} asked=${house}>${(data) => html`<${LogHealth} house=${data} />`}</${Fresh}></${Part}>
        <${Part} name="jobs"><${Fresh} asked=${house}>${(data) => html`<${Jobs} house=${data} />`}</${Fresh}></${Part}>`}
      <${Part} name="storage"><${Storage} house=${house} figures=${figures} units=${units} /></${Part}>
      ${views && html`<${Part} name="retention">
        <h3>${t("ops.due")}</h3><${Fresh} asked=${due}>${(page) => html`<${Due} page=${page} />`}</${Fresh}>
        <h3>${t("ops.holds")}</h3><${Fresh} asked=${holds}>${(page) => html`<${Holds} page=${page} />`}</${Fresh}></${Part}>`}
    </div>
    ${hidden.length > 0 && html`<p class="quiet small">${t("ops.hidden", { parts: hidden.map(([, name]) => t(`ops.${name}`)).join(t("ops.and")) })}</p>`}
  </article>`;
}

const Part = ({ name, children }) => html`<section class="card part" aria-labelledby=${`part-${name}`} id=${name}>
  <h2 id=${`part-${name}`}>${t(`ops.${name}`)}</h2>${children}</section>`;

// One line for all parts: since when something of it is not heard of any more.
function AsOf({ parts }) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((count) => count + 1), 20000);
    return () => clearInterval(timer);
  }, []);
  const lost = parts.filter((part) => part.problem && part.data !== undefined);
  if (!lost.length) return null;
  const since = lost.map((part) => part.at).sort()[0];
  return html`<p class="failure" role="alert">${t("ops.stale")} <${Instant} at=${since} />
    <button type="button" onClick=${() => lost.forEach((part) => part.retry())}>${t("state.retry")}</button></p>`;
}

function Needs({ all, parts }) {
  const waiting = parts.some((part) => part.data === undefined && !part.problem);
  const blind = parts.filter((part) => part.data === undefined && part.problem).length;
  const found = needs(all);
  if (!found.length && waiting) return html`<p class="quiet" role="status">${t("state.loading")}</p>`;
  if (!found.length) return html`<p class=${blind ? "note" : "verdict ok"} role="status">${t(blind ? "needs.blind" : "needs.nothing")}</p>`;
  return html`<section class="needs" aria-labelledby="needs"><h2 id="needs">${t("needs.title")}</h2>
    <ul class="plain">${found.map((one) => html`<li key=${one.key} class=${one.kind}><${Badge} kind=${one.kind}>${t(`need.${one.kind}`)}</${Badge}>
      <span>${one.href ? html`<a href=${one.href} onClick=${(event) => jumped(event, one.href)}>${one.text}</a>` : one.text}</span></li>`)}</ul>
  </section>`;
}

// Within this page: the address behind # says which page, so a jump is made by hand.
function jumped(event, href) {
  if (href.startsWith("#/")) return;
  event.preventDefault();
  const target = document.getElementById(href.slice(1));
  target?.scrollIntoView({ block: "start" });
  target?.querySelector("a, button, summary")?.focus({ preventScroll: true });
}
