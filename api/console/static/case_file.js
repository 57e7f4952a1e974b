// What a case consists of: exhibits under their numbers, documents, and what people stated about it.

/* global hex */
import { html, useRef, useState } from "./vendor/preact-htm.js";
import { call, get, send } from "./api.js";
import { Actor, Choice, Field, Outcome, useAct } from "./acting.js";
import { loadJudge } from "./checking.js";
import { hashed } from "./hashing.js";
import { Folded, useDraft } from "./drafts.js";
import { Badge, Instant, Stated, shownText, useAsked } from "./parts.js";
import { known, t } from "./words.js";

// Exhibits with what they show; what the reader may not know of is not among them.
export const exhibitsOf = (id, signal) => Promise.all([
  get(`/v1/cases/${id}/clips`, { limit: 200 }, signal),
  get(`/v1/cases/${id}/structure`, {}, signal),
]).then(([{ items, next }, structure]) => {
  const places = new Map(structure.sections.flatMap((section) => section.places.map((place) => [place.exhibit, { ...place, section: section.title }])));
  return { items: items.map((item) => ({ ...item, ...places.get(item.exhibit), exhibit: item.exhibit })), more: next !== null };
});

export function Exhibits({ one, me, turn }) {
  const asked = useAsked((signal) => exhibitsOf(one.case, signal), [one.case, turn]);
  return html`<section><h2>${t("cases.exhibits")}</h2><${Stated} asked=${asked}>${({ items, more }) => items.length
    ? html`<table class="dense"><thead><tr><th scope="col">${t("file.number")}</th><th scope="col">${t("column.remark")}</th><th scope="col">${t("file.section")}</th><th scope="col">${t("file.linked")}</th></tr></thead>
        <tbody>${items.map((item) => html`<tr key=${item.exhibit} id=${`exhibit-${item.exhibit}`} tabindex="-1"><td><a href=${`#/clips/${item.clip}`}>${one.number}-${item.exhibit}</a></td>
          <td class="wide">${item.title || html`<span class="bad">${t("file.no_remark")}</span>`}</td><td>${item.section ?? ""}</td><td><${Instant} at=${item.linked_at} /> <${Actor} actor=${item.linked_by} me=${me} /></td></tr>`)}</tbody></table>
        ${more && html`<p class="note">${t("file.more")}</p>`}`
    : html`<p class="empty">${t("file.no_exhibits")}</p>`}</${Stated}></section>`;
}

const statementsOf = (id, signal) => get(`/v1/cases/${id}/statements`, { limit: 200 }, signal);

// Documents that count: what was withdrawn is listed among the statements alone.
export const documentsOf = (id, signal) => statementsOf(id, signal).then(({ items }) => {
  const gone = new Set(items.filter((item) => item.kind === "withdrawal").map((item) => item.content.statement.entry));
  return items.filter((item) => item.kind === "document" && !gone.has(item.entry)).map((item) => ({ ...item.content.statement, at: item.stated_at, by: item.stated_by }));
});

export function Documents({ one, me, turn, changed }) {
  const asked = useAsked((signal) => documentsOf(one.case, signal), [one.case, turn]);
  const mayAdd = one.state !== "archived" && me.rights.includes("state_about_case") && me.rights.includes("create_upload");
  return html`<section><h2>${t("file.documents")}</h2><${Stated} asked=${asked}>${(items) => items.length
    ? html`<table class="dense"><tbody>${items.map((item) => html`<tr key=${item.document}><td class="wide"><a href=${`#/clips/${item.document}`}>${item.title}</a></td><td>${item.number}</td>
        <td>${item.starts_at && html`<${Instant} at=${item.starts_at} /> – <${Instant} at=${item.ends_at} />`}</td><td><${Instant} at=${item.at} /> <${Actor} actor=${item.by} me=${me} /></td></tr>`)}</tbody></table>`
    : html`<p class="quiet">${t("file.no_documents")}</p>`}</${Stated}>
    ${mayAdd && html`<${Folded} title=${t("file.add")} about=${`document.${one.case}`} me=${me}><${AddDocument} one=${one} me=${me} changed=${changed} /></${Folded}>`}</section>`;
}

const CHUNK = 4 << 20;

// Brings a file in whole (tus 1.0.0) and finds the clip that it is; one that is here already is taken as it is.
async function clipOf(file, told) {
  await loadJudge();
  const { sha256 } = await hashed({ file }, () => {});
  const digest = hex(sha256);
  const here = async () => (await get("/v1/clips", { sha256: digest })).items[0]?.clip;
  const known_ = await here();
  if (known_) return known_;
  const name = btoa(String.fromCharCode(...new TextEncoder().encode(file.name)));
  const tus = { "Tus-Resumable": "1.0.0" };
  const made = await send("POST", "/uploads", { ...tus, "Upload-Length": String(file.size), "Upload-Metadata": `filename ${name}` });
  const address = new URL(made.get("Location"), location.href).pathname;
  for (let offset = 0; offset < file.size;) {
    const answer = await send("PATCH", address, { ...tus, "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" }, file.slice(offset, offset + CHUNK));
    offset = Number(answer.get("Upload-Offset"));
    told(offset / file.size);
  }
  return here();
}

const localTime = (text) => (text ? `${text.length === 16 ? `${text}:00` : text}.000+08:00` : undefined);
export const instant = (text) => (text ? new Date(localTime(text)).toISOString() : undefined);

function AddDocument({ one, me, changed }) {
  const draft = useDraft(`document.${one.case}`, me.staff, { title: "", number: "", item: "", from: "", to: "" });
  const [done, setDone] = useState(null);
  const file = useRef(null);
  const doing = useAct(() => { draft.forget(); file.current.value = ""; setDone(null); changed(); });
  const { title, number, item, from, to } = draft.content;
  function add(event) {
    event.preventDefault();
    const chosen = file.current.files[0];
    void doing.act(async () => {
      const clip = await clipOf(chosen, setDone);
      const times = from && to ? { starts_at: instant(from), ends_at: instant(to) } : {};
      const statement = { kind: "document", document: clip, name: chosen.name, title: title.trim(), ...(number.trim() ? { number: number.trim() } : {}), ...(item.trim() ? { item: item.trim() } : {}), ...times };
      await call("POST", `/v1/cases/${one.case}/statements`, { body: { statement } });
    });
  }
  return html`<form class="fields" onSubmit=${add}>
    <label class="field">${t("file.file")}<input ref=${file} name="file" type="file" required /></label>
    <${Field} label=${t("file.title")} name="title" value=${title} required maxlength="400" onPut=${(text) => draft.put({ title: text })} />
    <${Field} label=${t("file.document_number")} value=${number} onPut=${(text) => draft.put({ number: text })} />
    <${Field} label=${t("coverage.item")} hint=${t("file.item_hint")} value=${item} onPut=${(text) => draft.put({ item: text })} />
    <${Field} label=${t("file.from")} type="datetime-local" step="1" value=${from} onPut=${(text) => draft.put({ from: text })} />
    <${Field} label=${t("file.to")} type="datetime-local" step="1" value=${to} onPut=${(text) => draft.put({ to: text })} />
    <button class="primary" disabled=${doing.busy}>${t("file.bring")}</button>
    ${doing.busy && html`<progress max="1" value=${done ?? undefined} aria-label=${t("file.bring")}></progress>`}
    <${Outcome} doing=${doing} /></form>`;
}

// Kinds of statements that are made on this page, and what each asks for: [field, kind of field].
const SAID = {
  exemption: [["item", "item"], ["ground", "ground"], ["reason", "text"], ["approver", "line"], ["reference", "line"]],
  argument: [["clip", "clip"], ["reference", "line"], ["reason", "text"], ["approver", "line"]],
  activity: [["item", "item"], ["starts_at", "time"], ["ends_at", "time"], ["basis", "line"]],
  gap: [["item", "item"], ["starts_at", "time"], ["ends_at", "time"], ["reason", "text"]],
  conclusion: [["on", "day"], ["reference", "maybe"]],
  addendum: [["text", "text"], ["reference", "maybe"]],
};

export function Statements({ one, me, turn, changed }) {
  const asked = useAsked((signal) => statementsOf(one.case, signal), [one.case, turn]);
  return html`<section><h2>${t("said.title")}</h2><${Stated} asked=${asked}>${({ items }) => {
    const gone = new Set(items.filter((item) => item.kind === "withdrawal").map((item) => item.content.statement.entry));
    return items.length ? html`<ul class="plain said">${items.map((item) => html`<li key=${item.entry} class=${gone.has(item.entry) ? "gone" : ""}>
        <${Badge}>${known("said", item.kind)}</${Badge}> ${Object.entries(item.content.statement).filter(([name]) => name !== "kind").map(([name, value]) =>
          html`<span key=${name}><span class="about">${known("saying", name)}</span> ${["document", "clip"].includes(name) ? html`<a href=${`#/clips/${value}`} title=${value}>${t("file.open")}</a>` : shownText(known("ground", String(value)))}</span> `)}
        <span class="quiet small"><${Instant} at=${item.stated_at} /> <${Actor} actor=${item.stated_by} me=${me} /></span></li>`)}</ul>`
      : html`<p class="quiet">${t("said.none")}</p>`;
  }}</${Stated}>
    ${me.rights.includes("state_about_case") && html`<${Folded} title=${t("said.add")} about=${`said.${one.case}`} me=${me}><${Say} one=${one} me=${me} changed=${changed} /></${Folded}>`}</section>`;
}

function Say({ one, me, changed }) {
  const draft = useDraft(`said.${one.case}`, me.staff, { kind: one.state === "archived" ? "addendum" : "exemption" });
  const coverage = useAsked((signal) => get(`/v1/cases/${one.case}/coverage`, {}, signal), [one.case]);
  const exhibits = useAsked((signal) => exhibitsOf(one.case, signal), [one.case]);
  const doing = useAct(() => { draft.forget(); changed(); });
  const { kind, ...given } = draft.content;
  const fields = SAID[kind];
  const value = (name) => given[name] ?? (name === "ground" ? "text_record" : "");
  function say(event) {
    event.preventDefault();
    const stated = fields.map(([name, type]) => [name, type === "time" ? instant(value(name)) : value(name).trim()]).filter(([, text]) => text);
    void doing.post(`/v1/cases/${one.case}/statements`, { statement: { kind, ...Object.fromEntries(stated) } });
  }
  const options = {
    item: () => (coverage.data?.standings ?? []).map((item) => [item.item, item.title]),
    clip: () => (exhibits.data?.items ?? []).map((item) => [item.clip, `${one.number}-${item.exhibit} ${item.title ?? ""}`]),
    ground: () => ["text_record", "not_held"].map((ground) => [ground, known("ground", ground)]),
  };
  const types = { time: { type: "datetime-local", step: "1" }, day: { type: "date" }, text: { rows: 2 } };
  return html`<form class="fields" onSubmit=${say}>
    <${Choice} label=${t("said.kind")} name="kind" value=${kind} onPut=${(text) => draft.put({ kind: text })} options=${Object.keys(SAID).map((name) => [name, known("said", name)])} />
    ${fields.map(([name, type]) => (options[type]
      ? html`<${Choice} key=${name} name=${name} label=${known("saying", name)} value=${value(name)} required empty=${type === "ground" ? undefined : ""} onPut=${(text) => draft.put({ [name]: text })} options=${options[type]()} />`
      : html`<${Field} key=${name} name=${name} label=${known("saying", name)} value=${value(name)} required=${type !== "maybe"} ...${types[type]} onPut=${(text) => draft.put({ [name]: text })} />`))}
    <button class="primary" disabled=${doing.busy}>${t("said.send")}</button>
    <${Outcome} doing=${doing} /></form>`;
}
