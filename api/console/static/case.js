// One case, on one page: how far its recordings cover what has to be recorded, what it consists of, what runs out when,
// where its review stands, what stands against archiving it; and taking it out of the house.

import { html, useState } from "./vendor/preact-htm.js";
import { address, get } from "./api.js";
import { AgainstSubmission, Changes, Meant } from "./case_evidence.js";
import { Documents, Exhibits, Statements } from "./case_file.js";
import { Archive, Package } from "./case_end.js";
import { Badge, Instant, Stated, shownText, useAsked } from "./parts.js";
import { known, learn, t } from "./words.js";
import { WORDS } from "./words/case.js";
import { WORDS as DESK } from "./words/desk.js";

learn(DESK);
learn(WORDS);

export function Page({ where, me, words }) {
  const id = where.id;
  const [turn, setTurn] = useState(0);
  const changed = () => setTurn((count) => count + 1);
  const asked = useAsked((signal) => get(`/v1/cases/${id}`, {}, signal), [id, turn]);
  return html`<${Stated} asked=${asked}>${(one) => {
    const given = { one, me, words, turn, changed };
    return html`<article class="case">
      <p><a href="#/cases">${t("case.back")}</a></p>
      <h1>${shownText(`${one.number} ${one.title}`)} <${Badge}>${t(`case.${one.state}`)}</${Badge}></h1>
      <dl class="facts"><div><dt>${t("cases.opened")}</dt><dd><${Instant} at=${one.opened_at} /></dd></div>
        ${one.handlers.length > 0 && html`<div><dt>${t("case.handlers")}</dt><dd>${one.handlers.join("、")}</dd></div>`}
        ${one.kind && html`<div><dt>${t("case.kind")}</dt><dd>${one.kind}</dd></div>`}
        ${one.due && html`<div><dt>${t("case.archive_by")}</dt><dd>${one.due.due_on ?? "—"} ${one.due.overdue && html`<${Badge} kind="error">${t("clock.overdue")}</${Badge}>`}</dd></div>`}</dl>
      <div class="columns desk">
        <div class="grow">
          <${Coverage} ...${given} />
          <${Exhibits} ...${given} />
          <${Documents} ...${given} />
          <${Statements} ...${given} />
        </div>
        <aside class="side" aria-label=${t("case.standing")}>
          <${Deadlines} ...${given} />
          <${ReviewState} ...${given} />
          <${Archive} ...${given} />
          <${Package} ...${given} />
        </aside>
      </div>
      <${Trail} ...${given} />
    </article>`;
  }}</${Stated}>`;
}

const KINDS = { missing: "error", gaps: "error", unstated: "warning", recorded: "ok", exempted: "notice" };
const ORDER = ["missing", "gaps", "unstated", "exempted", "not_held", "recorded", "open"];

function Coverage({ one, turn }) {
  const asked = useAsked((signal) => get(`/v1/cases/${one.case}/coverage`, {}, signal), [one.case, turn]);
  return html`<section><h2>${t("cases.coverage")}</h2><${Stated} asked=${asked}>${(coverage) => html`
    ${coverage.items === null && html`<p class="note">${t("coverage.no_list")}</p>`}
    <p class="chips">${["required", "recorded", "exempted", "not_held", "missing"].map((name) => html`<span key=${name} class=${name === "missing" && coverage.missing.length ? "chip bad" : "chip"}>
      <strong>${coverage[name].length}</strong> ${known("coverage", name)}</span>`)}
      <span class=${coverage.gap_seconds ? "chip bad" : "chip"}><strong>${t("desk.seconds", { count: coverage.gap_seconds })}</strong> ${t("coverage.gap")}</span></p>
    ${coverage.standings.length > 0 && html`<${Items} standings=${coverage.standings} exhibits=${one} />`}
    ${coverage.times.length > 0 && html`<${Times} times=${coverage.times} />`}
    <${Loose} coverage=${coverage} />`}</${Stated}></section>`;
}

function Items({ standings }) {
  const sorted = [...standings].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || Number(b.required) - Number(a.required));
  return html`<table class="dense"><thead><tr><th scope="col">${t("column.state")}</th><th scope="col">${t("coverage.item")}</th><th scope="col">${t("coverage.demanded")}</th>
      <th scope="col">${t("cases.exhibits")}</th><th scope="col">${t("coverage.gap")}</th><th scope="col">${t("coverage.lacks")}</th></tr></thead>
    <tbody>${sorted.map((item) => html`<tr key=${item.item}>
      <td><${Badge} kind=${KINDS[item.state]}>${known("coverage", item.state)}</${Badge}></td>
      <td class="wide" title=${item.source}>${item.title}</td>
      <td>${item.required ? t("coverage.must") : t("coverage.may")} · ${known("mode", item.mode)}</td>
      <td>${item.exhibits.map((number) => html`<a key=${number} href=${`#exhibit-${number}`} onClick=${(event) => shown(event, number)}>${number}</a> `)}</td>
      <td>${item.gaps.map((gap) => html`<div key=${gap.starts_at} title=${`${gap.starts_at} – ${gap.ends_at}`} class=${gap.reason ? "" : "bad"}>${t("desk.seconds", { count: gap.seconds })}
        · ${gap.reason ?? t("coverage.unexplained")}</div>`)}</td>
      <td>${item.elements_missing.map((lack) => html`<div key=${lack.element}>${lack.element} (${lack.exhibits.join(", ")})</div>`)}</td></tr>`)}</tbody></table>`;
}

// The address behind # says which page: an exhibit is scrolled to instead.
function shown(event, number) {
  event.preventDefault();
  const row = document.getElementById(`exhibit-${number}`);
  row?.scrollIntoView({ block: "center" });
  row?.focus();
}

function Times({ times }) {
  const signed = (seconds) => `${seconds > 0 ? "+" : ""}${Math.round(seconds)}`;
  return html`<h3>${t("coverage.times")}</h3><table class="dense"><thead><tr><th scope="col">${t("file.document")}</th><th scope="col">${t("coverage.written")}</th>
      <th scope="col">${t("coverage.filmed")}</th><th scope="col">${t("coverage.apart")}</th></tr></thead>
    <tbody>${times.map((one) => html`<tr key=${one.document}><td class="wide">${one.document} ${one.number}</td>
      <td><${Instant} at=${one.starts_at} /><br /><${Instant} at=${one.ends_at} /></td><td><${Instant} at=${one.footage_starts_at} /><br /><${Instant} at=${one.footage_ends_at} /></td>
      <td class="bad">${t("desk.seconds", { count: signed(one.start_seconds) })}<br />${t("desk.seconds", { count: signed(one.end_seconds) })}</td></tr>`)}</tbody></table>`;
}

function Loose({ coverage }) {
  const lines = [
    ...coverage.off_list.map((one) => [t(one.argument ? "coverage.argued" : "coverage.off_list", { exhibit: one.exhibit, item: one.item }), !one.argument]),
    ...(coverage.unclassified.length ? [[t("coverage.unclassified", { exhibits: coverage.unclassified.join(", ") }), true]] : []),
    ...(coverage.undated.length ? [[t("coverage.undated", { exhibits: coverage.undated.join(", ") }), true]] : []),
  ];
  return lines.map(([text, bad]) => html`<p key=${text} class=${bad ? "note" : "quiet"}>${text}</p>`);
}

const CLOCKS = { overdue: "error", late: "error", running: "notice", paused: "", in_time: "ok", void: "" };

function Deadlines({ one, turn }) {
  const asked = useAsked((signal) => get("/v1/deadlines", { case: one.case, limit: 50 }, signal), [one.case, turn]);
  return html`<section><h2>${t("clock.title")}</h2><${Stated} asked=${asked}>${({ items }) => items.length
    ? html`<ul class="plain clocks">${items.map((clock) => html`<li key=${clock.clock}>
        <p><strong>${known("clock", clock.kind)}</strong> <${Badge} kind=${CLOCKS[clock.state]}>${known("clock", clock.state)}</${Badge}>
          ${clock.extended_by > 0 && html` <${Badge}>${t("clock.extended", { days: clock.extended_by })}</${Badge}>`}</p>
        <p>${t("clock.due", { day: clock.due_on })}${clock.provisional ? ` ${t("clock.provisional")}` : ""}
          ${["running", "paused", "overdue"].includes(clock.state) && html` · <strong class=${clock.remaining < 0 ? "bad" : ""}>${
            t(clock.remaining < 0 ? "clock.over" : "clock.left", { days: Math.abs(clock.remaining), unit: known("unit", clock.days_are) })}</strong>`}</p>
        <p class="quiet small" title=${clock.source}>${clock.citation}</p>
        ${clock.pauses.filter((pause) => !pause.until).map((pause) => html`<p key=${pause.since} class="quiet small">${t("clock.pause", { reason: pause.reason })}</p>`)}
        ${clock.explained && html`<p class="quiet small">${t("clock.explained", { reason: clock.explained })}</p>`}</li>`)}</ul>`
    : html`<p class="quiet">${t("clock.none")}</p>`}</${Stated}></section>`;
}

function ReviewState({ one, turn }) {
  const asked = useAsked((signal) => get(`/v1/cases/${one.case}/review`, {}, signal).catch((problem) => {
    if (problem.code === "review.rules_unknown") return null;
    throw problem;
  }), [one.case, turn]);
  return html`<section><h2>${t("case.review")}</h2><${Stated} asked=${asked}>${(review) => review === null
    ? html`<p class="quiet">${t("review.no_rules")}</p>`
    : html`<p><${Badge} kind=${review.may_be_decided ? "ok" : "notice"}>${known("review", review.state)}</${Badge}>
        ${review.rounds.length > 0 && html` ${t("review.round", { number: review.rounds.length })}`}
        ${" "}<a href=${`#/review/${one.case}`}>${t("review.open")}</a></p>
      <p class="quiet small" title=${review.scope.because}>${review.scope.in_scope ? t("review.in_scope", { source: review.scope.source }) : t("review.out_of_scope")}</p>
      ${review.obstacles.length > 0 && html`<ul>${review.obstacles.map((stands) => html`<li key=${stands.code}><${Meant} kind="obstacle" one=${stands} /></li>`)}</ul>`}
      <${AgainstSubmission} reasons=${review.against_submission} />
      ${review.rounds.length > 0 && review.changes.length > 0 && html`<h3>${t("review.changed_since")}</h3><${Changes} changes=${review.changes} id=${one.case} exhibits=${[]} />`}`}</${Stated}></section>`;
}

function Trail({ one, turn }) {
  const [open, setOpen] = useState(false);
  const [failed, setFailed] = useState(false);
  const picture = address(`/v1/cases/${one.case}/trail`, { form: "svg" });
  return html`<details onToggle=${(event) => setOpen(event.target.open)}><summary><h2 class="inline">${t("case.trail")}</h2></summary>
    ${open && (failed ? html`<p class="note">${t("case.no_trail")}</p>`
      : html`<a href=${picture} target="_blank" rel="noopener"><img class="trail" key=${turn} alt=${t("case.trail")} src=${picture} onError=${() => setFailed(true)} /></a>`)}</details>`;
}
