// Saying what a clip shows. What is typed is kept on this computer until it is on record, so that neither a reload nor a lost
// session loses it; whoever wrote meanwhile is shown, never overwritten.

import { html, useEffect, useState } from "./vendor/preact-htm.js";
import { call, get, onceKey } from "./api.js";
import { draftKey, readDraft } from "./drafts.js";
import { Failure, Instant, clockText } from "./parts.js";
import { Person } from "./people.js";
import { currentLanguage, t, titled } from "./words.js";

export function AnnotationEditor({ detail, me, words, place, onSeek, onSaved }) {
  const known = detail.annotation;
  const kept = draftKey(detail.clip, me.staff);
  const draft = readDraft(kept);
  const writes = me.rights.includes("annotate_clip");
  const [content, setContent] = useState(draft?.content ?? known?.content ?? {});
  const [seen, setSeen] = useState(draft?.seen ?? known?.version ?? 0);
  const [reason, setReason] = useState(draft?.reason ?? "");
  const [changed, setChanged] = useState(draft !== null);
  const [state, setState] = useState({});
  // One key for one intention: sent again after a lost answer it changes nothing a second time.
  const [key, setKey] = useState(onceKey());

  useEffect(() => {
    if (changed) localStorage.setItem(kept, JSON.stringify({ content, seen, reason }));
    else localStorage.removeItem(kept);
  }, [content, seen, reason, changed]);

  // What was taken over elsewhere on this page, or written by somebody else, is the ground unless something is being typed.
  useEffect(() => {
    if (changed || !known || known.version <= seen) return;
    setContent(known.content);
    setSeen(known.version);
  }, [known?.version]);

  function put(part) {
    setContent((before) => ({ ...before, ...part }));
    setChanged(true);
    setKey(onceKey());
  }

  function discard() {
    setContent(known?.content ?? {});
    setSeen(known?.version ?? 0);
    setReason("");
    setChanged(false);
    setState({});
    // Who gave way to somebody goes on from what that somebody wrote.
    if (state.stale) onSaved();
  }

  async function save(event) {
    event.preventDefault();
    setState({ busy: true });
    try {
      const body = { ...tidy(content), ...(reason.trim() ? { reason: reason.trim() } : {}) };
      const { data } = await call("POST", `/v1/clips/${detail.clip}/annotations`,
        { body, headers: { "If-Match": `"${seen}"`, "Idempotency-Key": key } });
      setSeen(data.version);
      setChanged(false);
      setReason("");
      setState({ saved: data.version });
      onSaved();
    } catch (problem) {
      if (problem.code !== "annotation.stale") return setState({ problem });
      setState({ stale: await get(`/v1/clips/${detail.clip}/annotations`, { limit: 1 }).then((page) => page.items[0], () => null) });
    }
  }

  const markers = content.markers ?? [], speakers = content.speakers ?? [], dialogue = content.dialogue ?? [];
  const without = (list, index) => list.filter((_, place_) => place_ !== index);
  const set = (list, index, part) => list.map((one, place_) => (place_ === index ? { ...one, ...part } : one));
  const [from, to] = place.range;
  return html`<form class="annotation" onSubmit=${save}>
    <p class="quiet small">${known ? html`${t("annotation.version", { version: known.version })} · <${Person} actor=${known.annotated_by} /> · <${Instant} at=${known.annotated_at} />` : t("annotation.none")}</p>
    ${changed && html`<p class="note small">${t("annotation.draft")} <button type="button" class="plain" onClick=${discard}>${t("annotation.discard")}</button></p>`}
    <fieldset disabled=${!writes || state.busy}>
      <label>${t("annotation.remark")}<textarea rows="4" maxlength="4000" value=${content.remark ?? ""} onInput=${(e) => put({ remark: e.target.value })}></textarea></label>
      <label>${t("annotation.item")}<input maxlength="400" value=${content.item ?? ""} onInput=${(e) => put({ item: e.target.value })} /></label>
      <label>${t("annotation.place")}<input maxlength="400" value=${content.place ?? ""} onInput=${(e) => put({ place: e.target.value })} /></label>
      <h2>${t("annotation.markers")}</h2>
      <ul class="plain">${markers.map((marker, index) => html`<li class="row" key=${index}>
        <button type="button" class="plain" onClick=${() => onSeek(marker.at_ms)}>${clockText(marker.at_ms)}</button>
        <${Word} label=${t("annotation.markers")} terms=${words.markers} value=${marker.kind} onChoose=${(kind) => put({ markers: set(markers, index, { kind }) })} />
        <input class="grow" aria-label=${t("annotation.text")} value=${marker.note ?? ""} onInput=${(e) => put({ markers: set(markers, index, { note: e.target.value }) })} />
        <${Remove} onRemove=${() => put({ markers: without(markers, index) })} /></li>`)}</ul>
      <button type="button" onClick=${() => put({ markers: [...markers, { kind: "key_moment", at_ms: Math.round(place.ms) }] })}>${t("annotation.add_marker")}</button>
      <h2>${t("annotation.speakers")}</h2>
      <ul class="plain">${speakers.map((speaker, index) => html`<li class="row" key=${index}>
        <${Word} label=${t("annotation.role")} terms=${words.speakers} value=${speaker.role} onChoose=${(role) => put({ speakers: set(speakers, index, { role }) })} />
        <input class="grow speaker-name" aria-label=${t("annotation.name")} placeholder=${t("annotation.name")} value=${speaker.name ?? ""} onInput=${(e) => put({ speakers: set(speakers, index, { name: e.target.value }) })} />
        <${Remove} onRemove=${() => put({ speakers: without(speakers, index), dialogue: dialogue.map((part) => (part.speaker === speaker.key ? { ...part, speaker: undefined } : part)) })} /></li>`)}</ul>
      <button type="button" class="add-speaker" onClick=${() => put({ speakers: [...speakers, { key: freeKey(speakers), role: "unknown" }] })}>${t("annotation.add_speaker")}</button>
      <h2>${t("annotation.dialogue")}</h2>
      <ul class="plain">${dialogue.map((part, index) => html`<li class="row" key=${index}>
        <button type="button" class="plain" onClick=${() => onSeek(part.from_ms)}>${clockText(part.from_ms)}</button>
        <select aria-label=${t("annotation.speakers")} value=${part.speaker ?? ""} onChange=${(e) => put({ dialogue: set(dialogue, index, { speaker: e.target.value || undefined }) })}>
          <option value="">—</option>${speakers.map((one) => html`<option key=${one.key} value=${one.key} selected=${one.key === part.speaker}>${one.name || titled(words.speakers, one.role)}</option>`)}</select>
        <input class="grow" aria-label=${t("annotation.text")} value=${part.text} onInput=${(e) => put({ dialogue: set(dialogue, index, { text: e.target.value }) })} />
        <${Remove} onRemove=${() => put({ dialogue: without(dialogue, index) })} /></li>`)}</ul>
      <button type="button" disabled=${from === null || to === null || to <= from}
        onClick=${() => put({ dialogue: [...dialogue, { from_ms: from, to_ms: to, text: "", speaker: speakers.at(-1)?.key }] })}>${t("annotation.add_line")}</button>
      <label>${t("annotation.reason")}<input maxlength="400" value=${reason} onInput=${(e) => { setReason(e.target.value); setChanged(true); }} /></label>
      <button class="primary" disabled=${!changed || state.busy}>${t("annotation.save")}</button>
    </fieldset>
    ${state.saved && html`<p class="verdict ok" role="status">${t("annotation.saved", { version: state.saved })}</p>`}
    ${state.problem && html`<${Failure} problem=${state.problem} />`}
    ${state.stale && html`<div class="failure" role="alert"><p>${t("annotation.stale", { version: state.stale.version })}</p>
      <pre>${JSON.stringify(state.stale.content, null, 1)}</pre>
      <button type="button" onClick=${() => { setSeen(state.stale.version); setKey(onceKey()); setState({}); }}>${t("annotation.take_newest")}</button></div>`}
  </form>`;
}

function Word({ label, terms, value, onChoose }) {
  return html`<select aria-label=${label} value=${value} onChange=${(event) => onChoose(event.target.value)}>
    ${terms.map((term) => html`<option key=${term.key} value=${term.key} selected=${term.key === value}>${term[currentLanguage()]}</option>`)}</select>`;
}

const Remove = ({ onRemove }) => html`<button type="button" class="plain" aria-label=${t("annotation.remove")} title=${t("annotation.remove")} onClick=${onRemove}>×</button>`;

const freeKey = (speakers) => {
  for (let number = speakers.length + 1; ; number++) if (!speakers.some((one) => one.key === `s${number}`)) return `s${number}`;
};

// Fields that were left empty are left out; that is how the service states that nothing is said.
function tidy(value) {
  if (Array.isArray(value)) return value.map(tidy);
  if (value === null || typeof value !== "object") return typeof value === "string" ? value.trim() : value;
  const kept = Object.entries(value).map(([name, part]) => [name, tidy(part)])
    .filter(([, part]) => part !== undefined && part !== "" && part !== null && !(Array.isArray(part) && !part.length));
  return Object.fromEntries(kept);
}
