// What a case ends in: the archive, with everything that stands against it, and the package that leaves the house.

import { html, useEffect, useRef, useState } from "./vendor/preact-htm.js";
import { call, get } from "./api.js";
import { Outcome, refusal, useAct } from "./acting.js";
import { Reasons } from "./case_evidence.js";
import { Enclosed, Enclosing, spansOf } from "./enclosing.js";
import { Badge, Digest, Instant, Stated, bytesText, useAsked } from "./parts.js";
import { Purpose, usePurpose } from "./purpose.js";
import { known, t } from "./words.js";

export function Archive({ one, me, turn, changed }) {
  const archived = one.state === "archived";
  const asked = useAsked((signal) => (archived ? get(`/v1/cases/${one.case}/archive`, {}, signal) : get(`/v1/cases/${one.case}/readiness`, {}, signal)), [one.case, archived, turn]);
  const [going, setGoing] = useState(null);
  const doing = useAct(() => { setGoing(null); changed(); });
  // Files are verified for some seconds a request; asked again it goes on there.
  const archive = () => doing.act(async () => {
    for (;;) {
      const { status, data } = await call("POST", `/v1/cases/${one.case}/archive`);
      if (status === 201) return data;
      setGoing(data);
    }
  });
  return html`<section><h2>${t("cases.readiness")}</h2><${Stated} asked=${asked}>${(found) => (found.root !== undefined
    ? html`<p class="verdict ok">${t("case.archived")} · <${Instant} at=${found.archived_at} /></p><p class="quiet small">${t("end.root")} <${Digest} hex=${found.root} /></p>`
    : html`${found.ready ? html`<p class="verdict ok">${t("cases.ready")}</p>` : html`<p class="quiet">${t("end.against", { count: found.reasons.length })}</p><${Reasons} kind="reason" reasons=${found.reasons} />`}
      ${me.rights.includes("archive_case") && html`<p><button type="button" class=${found.ready ? "primary" : ""} disabled=${doing.busy} onClick=${archive}>${t("end.archive")}</button></p>`}`)}</${Stated}>
    ${doing.busy && html`<p role="status"><progress max="1" value=${going ? going.verified / Math.max(1, going.files) : undefined}></progress>
      ${going ? t("end.verified", { done: going.verified, all: going.files }) : t("end.verifying")}</p>`}
    <${Outcome} doing=${doing} word="end.archived" />
    ${refusal(doing).reasons && html`<${Reasons} kind="reason" reasons=${refusal(doing).reasons} />`}</section>`;
}

const UNDER_WAY = ["waiting", "running"];

export function Package({ one, me, words, turn, changed }) {
  const [purpose, setPurpose] = usePurpose();
  const asked = useAsked((signal) => get("/v1/exports", { limit: 100 }, signal).then(({ items }) => items.filter((item) => item.case === one.case).slice(0, 5)), [one.case, turn]);
  // Rows of seconds that are handed over in the place of originals; null as long as nobody has asked for any.
  const [rows, setRows] = useState(null);
  const doing = useAct(() => { setRows(rows && []); asked.retry(); });
  const busy = asked.data?.some((item) => UNDER_WAY.includes(item.state));
  const again = useRef(asked.retry);
  again.current = asked.retry;
  useEffect(() => {
    if (!busy) return undefined;
    const timer = setInterval(() => again.current(), 1000);
    return () => clearInterval(timer);
  }, [busy]);
  const excerpts = spansOf(rows ?? []);
  const order = (event) => { event.preventDefault(); void doing.post("/v1/exports", { purpose, case: one.case, ...(excerpts.length ? { excerpts } : {}) }); };
  return html`<section><h2>${t("package.title")}</h2>
    ${me.rights.includes("order_export") && html`<form onSubmit=${order}><${Purpose} words=${words} chosen=${purpose} onChoose=${setPurpose} />
      <details class="enclosing" onToggle=${({ target }) => { if (target.open) setRows(rows ?? []); }}><summary>${t("enclosing.title")}</summary>
        ${rows && html`<${Enclosing} one=${one} rows=${rows} onPut=${setRows} />`}</details>
      <p><button class="primary order" disabled=${doing.busy || !purpose || busy || !excerpts}>${t("package.order")}</button></p></form>`}
    ${doing.problem && html`<${Outcome} doing=${doing} />`}
    <${Stated} asked=${asked}>${(items) => html`<ul class="plain packages">${items.map((item) => html`<li key=${item.export}><${Made} item=${item} purpose=${purpose} /></li>`)}</ul>
      ${!items.length && html`<p class="quiet">${t("package.none")}</p>`}`}</${Stated}></section>`;
}

// The hand-out is on record before its address is known; the address works without a session, for a day.
function Made({ item, purpose }) {
  const [link, setLink] = useState(null);
  const doing = useAct((made) => setLink(new URL(made.url, location.href).pathname));
  return html`<p><${Badge} kind=${{ done: "ok", refused: "error" }[item.state]}>${known("package", item.state)}</${Badge}> <${Instant} at=${item.asked_at} />
      ${item.size !== null && html` · ${bytesText(item.size)}`}</p>
    <${Enclosed} spans=${item.excerpts} />
    ${UNDER_WAY.includes(item.state) && html`<p role="status"><progress max="1" value=${item.bytes_total ? item.bytes_done / item.bytes_total : undefined} aria-label=${t("package.title")}></progress></p>`}
    ${item.reason && html`<p class="bad small">${item.reason} <code>${item.code}</code></p>`}
    ${item.state === "done" && (link ? html`<a class="fetch" href=${link} download>${t("package.download")}</a>`
      : html`<button type="button" class="fetch" disabled=${doing.busy || !purpose} onClick=${() => doing.post(`/v1/exports/${item.export}/downloads`, { purpose })}>${t("package.fetch")}</button>`)}
    ${doing.problem && html`<${Outcome} doing=${doing} />`}`;
}
