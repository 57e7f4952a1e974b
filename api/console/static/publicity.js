// What is told the public (行政执法公示): drafts, what the scan found in them and what people decided about each finding,
// approval by another person, publication, correction, withdrawal. What the public sees is linked, never guessed.

import { html, useState } from "./vendor/preact-htm.js";
import { bytes, get } from "./api.js";
import { Actor, Choice, Field, Outcome, refusal, useAct } from "./acting.js";
import { Folded, useDraft } from "./drafts.js";
import { Badge, Instant, Stated, useAsked } from "./parts.js";
import { Findings } from "./publicity_findings.js";
import { Fields } from "./publicity_fields.js";
import { currentLanguage, known, learn, t } from "./words.js";
import { WORDS as DESK } from "./words/desk.js";
import { WORDS } from "./words/publicity.js";

learn(DESK);
learn(WORDS);

const named = (one, key) => one?.[currentLanguage()] ?? key;

export function Page({ where, me }) {
  const asked = useAsked((signal) => get("/v1/publicity/forms", {}, signal), []);
  return html`<${Stated} asked=${asked}>${(forms) => (where.id
    ? html`<${Publication} key=${where.id} id=${where.id} forms=${forms} me=${me} />`
    : html`<${List} key="list" forms=${forms} query=${where.query} me=${me} />`)}</${Stated}>`;
}

const PAGE = 20;

// The list states no texts: of each the newest version is asked for, so that a person sees whom it is about.
async function listed(after, signal) {
  const { items, next } = await get("/v1/publications", { limit: PAGE, after }, signal);
  return { items: await Promise.all(items.map((item) => get(`/v1/publications/${item.publication}`, {}, signal))), next };
}

const STATES = { published: "ok", withdrawn: "error", approved: "notice", scanned: "" };

const State = ({ one }) => html`<${Badge} kind=${STATES[one.state]}>${known("publicity", one.state)}</${Badge}>
  ${one.published_version !== null && !["published", "withdrawn"].includes(one.state) && html` <${Badge} kind="ok">${t("publicity.older", { version: one.published_version })}</${Badge}>`}`;

function List({ forms, query, me }) {
  const [after, setAfter] = useState(undefined);
  const asked = useAsked((signal) => listed(after, signal), [after]);
  const kindOf = (key) => named(forms.kinds.find((kind) => kind.kind === key), key);
  return html`<article class="publicity"><h1>${t("nav.publicity")}</h1>
    ${me.rights.includes("draft_publication") && html`<${NewDraft} forms=${forms} query=${query} me=${me} />`}
    <div><${Stated} asked=${asked}>${({ items, next }) => (items.length
      ? html`<table class="dense"><thead><tr><th scope="col">${t("publicity.what")}</th><th scope="col">${t("publicity.kind")}</th><th scope="col">${t("column.state")}</th>
          <th scope="col">${t("publicity.version")}</th><th scope="col">${t("publicity.drafted")}</th></tr></thead>
        <tbody>${items.map((one) => html`<tr key=${one.publication}><td class="wide"><a href=${`#/publicity/${one.publication}`}>${one.fields.subject ?? one.fields.title ?? one.publication}</a> ${one.fields.document_number}</td>
          <td>${kindOf(one.kind)}</td><td><${State} one=${one} /></td><td>${one.version}</td><td><${Instant} at=${one.drafted_at} /> <${Actor} actor=${one.drafted_by} me=${me} /></td></tr>`)}</tbody></table>
        ${next && html`<p><button type="button" onClick=${() => setAfter(next)}>${t("state.more")}</button></p>`}`
      : html`<p class="empty">${t("publicity.none")}</p>`)}</${Stated}></div>
    <${Terms} kindOf=${kindOf} /></article>`;
}

function Terms({ kindOf }) {
  const asked = useAsked((signal) => get("/v1/publicity/terms", {}, signal), []);
  return html`<h2>${t("publicity.terms")}</h2><div><${Stated} asked=${asked}>${({ items }) => (items.length
    ? html`<ul class="plain">${items.map((term) => html`<li key=${term.kind}>${kindOf(term.kind)}：${term.months === null ? t("publicity.no_end") : t("publicity.months", { count: term.months })} <span class="quiet small">${term.citation}</span></li>`)}</ul>`
    : html`<p class="quiet">${t("publicity.no_terms")}</p>`)}</${Stated}></div>`;
}

const clean = (fields, form) => Object.fromEntries([...form.required, ...form.optional].map(({ field }) => [field, (fields[field] ?? "").trim()]).filter(([, text]) => text));

function NewDraft({ forms, query, me }) {
  const about = query.get("case");
  const draft = useDraft(`publication.${about ?? "new"}`, me.staff, { form: "brief", kind: "penalty", until: "", fields: { document_number: query.get("number") ?? "" } });
  const doing = useAct((made) => { draft.forget(); location.hash = `#/publicity/${made.publication}`; });
  const { form: name, kind, until, fields } = draft.content;
  const form = forms.items.find((one) => one.form === name);
  const kinds = forms.kinds.filter((one) => form.kinds.includes(one.kind));
  function send(event) {
    event.preventDefault();
    void doing.post("/v1/publications", { form: name, kind, fields: clean(fields, form), ...(about ? { case: about } : {}), ...(until ? { until } : {}) });
  }
  const body = html`<form class="fields draft" onSubmit=${send} novalidate>
    <${Choice} label=${t("publicity.form")} name="form" value=${name} options=${forms.items.map((one) => [one.form, named(one)])}
      onPut=${(chosen) => draft.put({ form: chosen, kind: forms.items.find((one) => one.form === chosen).kinds[0] })} />
    <${Choice} label=${t("publicity.kind")} name="kind" value=${kind} options=${kinds.map((one) => [one.kind, named(one)])} onPut=${(chosen) => draft.put({ kind: chosen })} />
    <${Field} label=${t("publicity.until")} hint=${t("publicity.until_hint")} type="date" value=${until} onPut=${(text) => draft.put({ until: text })} />
    <p class="wide quiet small">${form.source}</p>
    <${Fields} form=${form} fields=${fields} problems=${refusal(doing).problems ?? []} onPut=${(put) => draft.put({ fields: put })} />
    ${about && html`<p class="wide"><a href=${`#/cases/${about}`}>${t("publicity.case")}</a></p>`}
    <button class="primary" disabled=${doing.busy}>${t("publicity.draft")}</button>
    <${Outcome} doing=${doing} /></form>`;
  return about ? html`<section><h2>${t("publicity.new")}</h2>${body}</section>` : html`<${Folded} title=${t("publicity.new")} about="publication.new" me=${me}>${body}</${Folded}>`;
}

function Publication({ id, forms, me }) {
  const [turn, setTurn] = useState(0);
  const changed = () => setTurn((count) => count + 1);
  const asked = useAsked((signal) => get(`/v1/publications/${id}`, {}, signal), [id, turn]);
  return html`<${Stated} asked=${asked}>${(one) => {
    const form = forms.items.find((known_) => known_.form === one.form);
    const given = { one, form, me, changed };
    const may = (right) => me.rights.includes(right);
    const own = one.drafted_by === `staff:${me.staff}`;
    return html`<article class="publicity">
      <p><a href="#/publicity">${t("publicity.back")}</a>${one.case && html` · <a href=${`#/cases/${one.case}`}>${t("publicity.case")}</a>`}</p>
      <h1>${one.fields.subject ?? one.fields.title ?? t("nav.publicity")} <${State} one=${one} /></h1>
      <p class="quiet small">${named(form, one.form)} · ${named(forms.kinds.find((kind) => kind.kind === one.kind), one.kind)} · ${t("publicity.number", { version: one.version })} · <${Instant} at=${one.drafted_at} />${" "}
        <${Actor} actor=${one.drafted_by} me=${me} />${one.until && ` · ${t("publicity.until")} ${one.until}`}${one.reason && ` · ${t("publicity.because", { reason: one.reason })}`}</p>
      <div class="columns desk"><div class="grow"><${Findings} key=${one.version} ...${given} /></div>
        <aside class="side" aria-label=${t("publicity.steps")}>
          ${one.state === "scanned" && (own || !may("approve_publication") ? html`<section><p class="quiet">${t("publicity.other_person")}</p></section>` : html`<${Approve} ...${given} />`)}
          ${one.state === "approved" && may("publish_publication") && html`<${Issue} ...${given} />`}
          ${one.published_version !== null && html`<${Seen} key=${turn} one=${one} />`}
          ${one.state !== "withdrawn" && one.published_version !== null && may("withdraw_publication") && html`<${Withdraw} ...${given} />`}
        </aside></div>
      ${one.state !== "withdrawn" && may("correct_publication") && html`<${Correct} key=${`correct${one.version}`} ...${given} />`}
    </article>`;
  }}</${Stated}>`;
}

function Approve({ one, me, changed }) {
  const draft = useDraft(`approve.${one.publication}`, me.staff, { note: "" });
  const doing = useAct(() => { draft.forget(); changed(); });
  const open = one.spans.filter((span) => !span.decided).length;
  const approve = (event) => { event.preventDefault(); void doing.post(`/v1/publications/${one.publication}/approval`, { version: one.version, note: draft.content.note }); };
  return html`<section><h2>${t("publicity.approval")}</h2><form onSubmit=${approve}>
    ${open > 0 && html`<p class="note">${t("publicity.undecided", { count: open })}</p>`}
    <${Field} label=${t("publicity.note")} value=${draft.content.note} onPut=${(note) => draft.put({ note })} />
    <p><button class="primary" disabled=${doing.busy}>${t("publicity.approve")}</button></p><${Outcome} doing=${doing} /></form></section>`;
}

function Issue({ one, changed }) {
  const doing = useAct(changed);
  return html`<section><h2>${t("publicity.issue")}</h2><p class="quiet">${t("publicity.issue_hint")}</p>
    <p><button type="button" class="primary" disabled=${doing.busy} onClick=${() => doing.post(`/v1/publications/${one.publication}/issue`, { version: one.version })}>${t("publicity.publish")}</button></p><${Outcome} doing=${doing} /></section>`;
}

// What anybody reads, from the public's own address: content or tombstone, and every version's time.
function Seen({ one }) {
  // A browser keeps what is public for a minute; here a person looks whether it changed.
  const asked = useAsked(async () => JSON.parse(new TextDecoder().decode(await bytes(`/public/v1/records/${one.publication}`, { fresh: true }))), [one.publication, one.state, one.published_version]);
  return html`<section><h2>${t("publicity.public")}</h2><${Stated} asked=${asked}>${(seen) => html`
    <p><${Badge} kind=${seen.status === "public" ? "ok" : "error"}>${known("seen", seen.status)}</${Badge}> <a href=${`/public/records/${one.publication}`} target="_blank" rel="noopener">${t("publicity.look")}</a>${" "}
      · <a href=${`/public/records/${one.publication}/proof`}>${t("publicity.proof")}</a></p>
    ${seen.until && html`<p>${t("publicity.until")} ${seen.until}</p>`}
    ${seen.gone_at && html`<p class="note"><${Instant} at=${seen.gone_at} /> ${known("cause", seen.cause)}：${seen.reason}</p>`}
    <ul class="plain">${seen.versions.map((version) => html`<li key=${version.version}>${t("publicity.number", { version: version.version })} <${Instant} at=${version.published_at} /></li>`)}</ul>
    ${seen.fields && html`<details><summary>${t("publicity.as_read")}</summary><dl>${Object.entries(seen.fields).map(([name, text]) => html`<dd key=${name} class="text">${text}</dd>`)}</dl></details>`}`}</${Stated}></section>`;
}

const CAUSES = ["revoked", "unlawful", "redone", "erroneous"];

function Withdraw({ one, me, changed }) {
  const draft = useDraft(`withdraw.${one.publication}`, me.staff, { cause: "revoked", reason: "" });
  const doing = useAct(() => { draft.forget(); changed(); });
  const withdraw = (event) => { event.preventDefault(); void doing.post(`/v1/publications/${one.publication}/withdrawal`, draft.content); };
  return html`<section><${Folded} title=${t("publicity.withdrawal")} about=${`withdraw.${one.publication}`} me=${me}><form class="withdraw" onSubmit=${withdraw}>
    <${Choice} label=${t("publicity.cause")} name="cause" value=${draft.content.cause} options=${CAUSES.map((name) => [name, known("cause", name)])} onPut=${(cause) => draft.put({ cause })} />
    <${Field} label=${t("publicity.reason_public")} name="withdraw-reason" rows=${2} required value=${draft.content.reason} onPut=${(reason) => draft.put({ reason })} />
    <p><button disabled=${doing.busy}>${t("publicity.withdraw")}</button></p><${Outcome} doing=${doing} /></form></${Folded}></section>`;
}

function Correct({ one, form, me, changed }) {
  const about = `correct.${one.publication}`;
  const draft = useDraft(about, me.staff, { fields: one.fields, reason: "", until: one.until ?? "", seen: one.version });
  const doing = useAct(() => { draft.forget(); changed(); });
  const { fields, reason, until, seen } = draft.content;
  const send = (event) => { event.preventDefault(); void doing.post(`/v1/publications/${one.publication}/versions`, { version: seen, fields: clean(fields, form), reason: reason.trim(), ...(until ? { until } : {}) }); };
  const stale = seen !== one.version;
  return html`<${Folded} title=${t("publicity.correction")} about=${about} me=${me}><form class="fields correct" onSubmit=${send} novalidate>
    <${Fields} form=${form} fields=${fields} problems=${refusal(doing).problems ?? []} onPut=${(put) => draft.put({ fields: put })} />
    <div class="wide"><${Field} label=${t("publicity.reason")} name="correct-reason" required value=${reason} onPut=${(text) => draft.put({ reason: text })} /></div>
    <button class="primary" disabled=${doing.busy || !reason.trim()}>${t("publicity.correct")}</button>
    ${draft.changed && html`<button type="button" class="plain" onClick=${draft.forget}>${t("annotation.discard")}</button>`}
    ${stale && html`<p class="note wide">${t("publicity.stale", { version: one.version })} <button type="button" onClick=${() => draft.put({ seen: one.version })}>${t("annotation.take_newest")}</button></p>`}
    <${Outcome} doing=${doing} /></form></${Folded}>`;
}
