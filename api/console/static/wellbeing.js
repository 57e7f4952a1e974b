// The parts of the page of operations: tables and facts, each of what one question of it has answered.

import { html } from "./vendor/preact-htm.js";
import { Fresh, agoText } from "./live.js";
import { isExpired, isOpen } from "./needs.js";
import { Badge, Digest, Instant, bytesText, shownText } from "./parts.js";
import { currentLanguage, known, t } from "./words.js";

const ROWS = 12;
const quoted = (text) => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
const searched = (q) => `#/search?${new URLSearchParams({ q })}`;
const None = ({ word = "state.none" }) => html`<p class="quiet">${t(word)}</p>`;

// A long list shows its beginning; what needs a person stands there.
function Table({ head, rows, row }) {
  const body = (part) => html`<table class="dense"><thead><tr>${head.map((word) => html`<th scope="col">${t(word)}</th>`)}</tr></thead><tbody>${part.map(row)}</tbody></table>`;
  if (!rows.length) return html`<${None} />`;
  return html`<div class="scroll" tabindex="0" role="group" aria-label=${t(head[0])}>${body(rows.slice(0, ROWS))}</div>
    ${rows.length > ROWS && html`<details><summary>${t("ops.rest", { count: rows.length - ROWS })}</summary><div class="scroll">${body(rows.slice(ROWS))}</div></details>`}`;
}

export function Recorders({ recorders, officers }) {
  const rank = (one) => (!one.holder ? 0 : isExpired(one.holder, officers.data) ? 1 : one.findings_open ? 2 : one.files_waiting ? 3 : 4);
  return html`<${Fresh} asked=${recorders}>${({ items, more }) => html`<${Table} head=${["field.recorder", "ops.holder", "field.unit", "ops.docked", "ops.waiting", "ops.open"]}
    rows=${[...items].sort((one, other) => rank(one) - rank(other))} row=${(one) => html`<tr key=${one.recorder}>
      <td>${shownText(one.recorder)}</td>
      <td>${one.holder ? shownText(`${one.holder.name} ${one.holder.number}`) : html`<${Badge} kind="notice">${t("ops.unheld")}</${Badge}>`}
        ${" "}${isExpired(one.holder, officers.data) && html`<${Badge} kind="notice">${t("ops.expired")}</${Badge}>`}</td>
      <td>${one.holder ? shownText(one.holder.unit) : ""}</td><td><${Instant} at=${one.docked_at} /></td>
      <td>${one.files_waiting || ""}</td><td>${one.findings_open || ""}</td></tr>`} />
    ${more && html`<p class="note">${t("ops.more")}</p>`}`}</${Fresh}>`;
}

export const unitName = (key, units) => (key ? shownText(units?.items.find((unit) => unit.unit === key)?.name ?? key) : t("ops.unknown"));

export function Late({ overdue, figures, units }) {
  return html`${overdue && html`<${Fresh} asked=${overdue}>${({ items }) => items.length ? html`<${Table} head=${["ops.file", "ops.due_on", "ops.explained"]} rows=${items}
      row=${(one) => html`<tr key=${one.clock}><td>${one.clip ? html`<a href=${`#/clips/${one.clip}`}>${shownText(one.name)}</a>` : shownText(one.name)}</td>
        <td>${one.due_on}</td><td>${one.explained ? shownText(one.explained) : "—"}</td></tr>`} />` : html`<${None} word="ops.none_late" />`}</${Fresh}>`}
    <h3>${t("ops.late_by_unit")}</h3>
    <${Fresh} asked=${figures}>${({ groups }) => html`<${Table} head=${["field.unit", "figure.late", "figure.on_time", "figure.undated"]}
      rows=${[...groups].sort((one, other) => other.late - one.late)} row=${(one) => html`<tr key=${one.key}><td>${unitName(one.key, units.data)}</td>
        <td>${one.late}</td><td>${one.on_time}</td><td>${one.undated}</td></tr>`} />`}</${Fresh}>`;
}

export function AuditFound({ audit, views }) {
  if (!audit) return html`<${None} word="ops.no_audit" />`;
  if (!audit.findings.length) return html`<p class="quiet">${t(audit.completed_at ? "found.clean" : "found.unfinished")}</p>`;
  return html`<ul class="plain">${audit.findings.map((one) => html`<li key=${one.code}><${Badge} kind=${one.severity}>${known("severity", one.severity)}</${Badge}>
    ${" "}<b>${one.count} ×</b> <code>${one.code}</code> <span lang="en">${one.means}</span>
    ${one.clips.map((clip) => html` <a href=${`#/clips/${clip}`}><code>${clip.slice(-12)}</code></a>`)}</li>`)}</ul>`;
}

export function ClipsFound({ page }) {
  if (!page.items.length) return html`<${None} />`;
  return html`<ul class="plain">${page.items.slice(0, ROWS).map((one) => html`<li key=${one.clip}><a href=${`#/clips/${one.clip}`}>${shownText(one.name)}</a></li>`)}</ul>
    <p><a href=${searched("findings:open")}>${t("found.search")}</a></p>`;
}

export function RecorderFound({ page, views }) {
  const open = page.items.filter(isOpen);
  const [message, causes] = currentLanguage() === "zh" ? ["message_zh", "causes_zh"] : ["message", "causes"];
  if (!open.length) return html`<${None} />`;
  return html`<p class="quiet small">${t("continuity.leads")}</p><ul class="plain">${open.slice(0, ROWS).map((one) => html`<li key=${`${one.finding}.${one.place}`}>
    <${Badge} kind=${one.weight}>${known("severity", one.weight)}</${Badge}> ${views
      ? html`<a href=${searched(`recorder:${quoted(one.recorder)}`)}>${shownText(one.recorder)}</a>` : html`<b>${shownText(one.recorder)}</b>`}
    ${" "}${one[message]} <details class="inline"><summary>${t("continuity.causes")}</summary>${one[causes]}</details></li>`)}</ul>
    ${open.length > ROWS && html`<p class="quiet">${t("ops.rest", { count: open.length - ROWS })}</p>`}`;
}

const Fact = ({ word, children }) => html`<div><dt>${t(word)}</dt><dd>${children}</dd></div>`;
const Others = ({ items, at }) => html`<ul class="plain">${items.map((one) => html`<li key=${one.name}>
  <${Badge} kind=${one.error ? "error" : "ok"}>${t(one.error ? "ledger.fails" : "ledger.answers")}</${Badge}> <b>${shownText(one.name)}</b>
  ${" "}${one.size !== null && t("ledger.size_of", { size: one.size })} ${one[at] ? agoText(one[at]) : t("ledger.never")}
  ${one.error && html`<br /><span class="warn">${shownText(one.error)}</span>`}</li>`)}</ul>`;

export function LogHealth({ house }) {
  const { log, audit } = house;
  return html`<dl class="facts">
      <${Fact} word="ledger.origin"><code>${log.origin}</code></${Fact}>
      <${Fact} word="ledger.size">${log.published}${log.sequenced > log.published ? ` / ${log.sequenced}` : ""}</${Fact}>
      <${Fact} word="ledger.checkpoint">${log.published_at ? html`<${Instant} at=${log.published_at} /> · ${agoText(log.published_at)}` : "—"}</${Fact}>
      <${Fact} word="ledger.root">${log.root ? html`<${Digest} hex=${log.root} />` : "—"}</${Fact}>
      <${Fact} word="ledger.pending">${t("ledger.pending_is", { count: log.pending, seconds: Math.round(log.behind_seconds) })}</${Fact}>
      <${Fact} word="ledger.audited">${audit ? (audit.completed_at ? html`<${Instant} at=${audit.completed_at} />` : t("ledger.never")) : "—"}</${Fact}>
      ${audit && html`<${Fact} word="ledger.coverage">${Math.floor(audit.coverage * 100)} %</${Fact}>`}
    </dl>
    ${log.withheld && html`<p class="failure">${t("ledger.withheld")} ${shownText(log.withheld)}</p>`}
    <h3>${t("ledger.witnesses")}</h3>${house.witnesses.length ? html`<${Others} items=${house.witnesses} at="succeeded_at" />` : html`<${None} word="ledger.no_witnesses" />`}
    <h3>${t("ledger.stamps")}</h3>${house.stampers.length ? html`<${Others} items=${house.stampers} at="stamped_at" />` : html`<${None} word="ledger.no_stamps" />`}
    <details><summary>${t("ledger.checks", { count: house.checks.length })}</summary><ul class="plain">${house.checks.map((one) => html`<li key=${one.name}>
      <${Badge} kind=${one.ok ? "ok" : one.required ? "error" : "notice"}>${t(one.ok ? "check.well" : "check.unwell")}</${Badge}> ${known("check", one.name)}
      <span class="quiet" lang="en"> ${one.detail}</span></li>`)}</ul></details>`;
}

export function Jobs({ house }) {
  const { outbox } = house;
  return html`<div class="scroll"><table class="dense"><thead><tr>${["job.kind", "job.waiting", "job.running", "job.failed"].map((word) => html`<th scope="col">${t(word)}</th>`)}</tr></thead>
    <tbody>${house.jobs.map((one) => html`<tr key=${one.kind}><td>${t(`job.${one.kind}`)}</td>
      <td>${one.waiting}${one.oldest_at ? html` <span class="quiet small">${t("job.since", { ago: agoText(one.oldest_at) })}</span>` : ""}</td><td>${one.running}</td>
      <td>${one.failed}${one.failed && one.reason ? html` <span class="quiet small">${shownText(one.reason)}</span>` : ""}</td></tr>`)}</tbody></table></div>
    <h3>${t("job.outbox")}</h3>
    ${outbox.subscriptions || outbox.dead ? html`<p>${t("job.outbox_is", outbox)}</p>` : html`<${None} word="job.no_outbox" />`}`;
}

export function Storage({ house, figures, units }) {
  const cost = (one, currency) => (one.cost === null ? "—" : `${one.cost} ${currency}`);
  return html`${house && html`<${Fresh} asked=${house}>${({ storage }) => {
      const used = storage.total - storage.free;
      return html`<p><meter min="0" max=${storage.total} high=${storage.total * 0.9} value=${used} aria-label=${t("storage.disk")}></meter>
        ${t("storage.disk_is", { used: bytesText(used), free: bytesText(storage.free), reserve: bytesText(storage.reserve) })}</p>
        ${storage.copies_waiting !== null && html`<p>${t("storage.copies", { count: storage.copies_waiting })} ${storage.copies_error && html`<span class="warn">${shownText(storage.copies_error)}</span>`}</p>`}`;
    }}</${Fresh}>`}
    <${Fresh} asked=${figures}>${(made) => html`<${Table} head=${["field.unit", "figure.bytes", "figure.made_bytes", "figure.cost"]}
      rows=${[...made.groups].sort((one, other) => other.bytes - one.bytes)} row=${(one) => html`<tr key=${one.key}><td>${unitName(one.key, units.data)}</td>
        <td>${bytesText(one.bytes)}</td><td>${bytesText(one.made_bytes)}</td><td>${cost(one, made.currency)}</td></tr>`} />
      <p class="quiet small">${t("storage.sum", { bytes: bytesText(made.total.bytes + made.total.made_bytes), cost: cost(made.total, made.currency) })}</p>`}</${Fresh}>`;
}

export function Due({ page }) {
  return page.items.length ? html`<${Table} head=${["ops.file", "ops.expired_on", "ops.size"]} rows=${page.items} row=${(one) => html`<tr key=${one.clip}>
      <td><a href=${`#/clips/${one.clip}`}><code>${one.clip.slice(-12)}</code></a></td><td>${one.expired_on}</td><td>${bytesText(one.size)}</td></tr>`} />`
    : html`<${None} word=${page.next ? "ops.more" : "ops.none_due"} />`;
}

export function Holds({ page }) {
  return page.items.length ? html`<${Table} head=${["ops.held", "ops.basis", "ops.since"]} rows=${page.items} row=${(one) => html`<tr key=${one.hold}>
      <td>${one.clip ? html`<a href=${`#/clips/${one.clip}`}><code>${one.clip.slice(-12)}</code></a>` : one.case
        ? html`<a href=${`#/cases/${one.case}`}><code>${one.case.slice(-12)}</code></a>` : shownText(one.recorder ?? "—")}</td>
      <td>${shownText(one.basis)}</td><td><${Instant} at=${one.placed_at} /></td></tr>`} />` : html`<${None} />`;
}
