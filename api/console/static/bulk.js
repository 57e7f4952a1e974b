// Working on many clips at once: the same words for all, a case, a package. What became of each is said clip by clip.

import { html, useEffect, useState } from "./vendor/preact-htm.js";
import { call, get, onceKey } from "./api.js";
import { Badge, Failure, Stated, bytesText, shownText, useAsked } from "./parts.js";
import { Purpose, usePurpose } from "./purpose.js";
import { known, t } from "./words.js";

const MOST = 1000, MOST_AT_ONCE = 200, PAUSE_MS = 1000;
const DEEDS = { annotate: "annotate_many", link: "link_clip", export: "order_export" };

export function Bulk({ marked, me, words, clear }) {
  const [deed, setDeed] = useState(null);
  const may = Object.keys(DEEDS).filter((name) => me.rights.includes(DEEDS[name]));
  const panes = { annotate: Annotate, link: Link, export: Package };
  return html`<section class="bulk card" aria-label=${t("bulk.title")}>
    <div class="row"><strong role="status">${t("bulk.marked", { count: marked.size })}</strong>
      ${may.map((name) => html`<button type="button" key=${name} aria-expanded=${deed === name} onClick=${() => setDeed(deed === name ? null : name)}>${t(`bulk.${name}`)}</button>`)}
      <button type="button" class="plain" onClick=${clear}>${t("bulk.clear")}</button></div>
    ${marked.size > MOST && html`<p class="note">${t("bulk.too_many", { count: MOST })}</p>`}
    ${deed && marked.size <= MOST && html`<${panes[deed]} key=${deed} marked=${marked} words=${words} />`}
  </section>`;
}

// What became of each clip: `{ clip, kind, says }`, in the order in which it was asked for.
function Outcomes({ lines, marked }) {
  const name = (clip) => shownText(marked.get(clip)?.name ?? clip);
  return html`<ul class="plain outcomes">${lines.map((line) => html`<li key=${line.clip}><${Badge} kind=${line.kind}>${line.says}</${Badge}>
    <a href=${`#/clips/${line.clip}`}>${name(line.clip)}</a> ${line.more && html`<span class="quiet small">${line.more}</span>`}</li>`)}</ul>`;
}

const KINDS = { written: "ok", unchanged: "", refused: "error" };

function Annotate({ marked }) {
  const [wish, setWish] = useState({ remark: "", item: "", key: false, together: false });
  const [state, setState] = useState({});
  // One key for one intention: sent again after a lost answer it changes nothing a second time.
  const [key, setKey] = useState(onceKey());
  useEffect(() => setKey(onceKey()), [marked]);
  const put = (part) => { setWish((before) => ({ ...before, ...part })); setKey(onceKey()); };
  const says = wish.remark.trim() || wish.item.trim() || wish.key;

  async function save(event) {
    event.preventDefault();
    setState({ busy: true });
    const add = {
      ...(wish.remark.trim() ? { remark: wish.remark.trim() } : {}),
      ...(wish.item.trim() ? { item: wish.item.trim() } : {}),
      ...(wish.key ? { markers: [{ kind: "key_moment", at_ms: 0 }] } : {}),
    };
    const body = { clips: [...marked.keys()].map((clip) => ({ clip })), add, all_or_nothing: wish.together };
    try {
      const { data } = await call("POST", "/v1/annotations", { body, headers: { "Idempotency-Key": key } });
      setState({ told: data, marked });
    } catch (problem) {
      setState({ problem, marked });
    }
  }

  const lines = state.told?.items.map((one) => ({
    clip: one.clip, kind: KINDS[one.outcome], says: known("outcome", one.outcome),
    more: one.code ? `${one.code} ${one.detail}` : one.kept.length ? t("bulk.kept", { names: one.kept.join("、") }) : "",
  }));
  const refused = state.problem?.details.details?.refused ?? [];
  return html`<form onSubmit=${save}>
    <p class="quiet small">${t("bulk.adds")}</p>
    <div class="row"><label class="grow">${t("annotation.remark")} <input name="remark" value=${wish.remark} maxlength="4000" onInput=${(e) => put({ remark: e.target.value })} /></label>
      <label class="grow">${t("annotation.item")} <input name="item" value=${wish.item} maxlength="400" onInput=${(e) => put({ item: e.target.value })} /></label></div>
    <div class="row"><label><input type="checkbox" name="key" checked=${wish.key} onChange=${(e) => put({ key: e.target.checked })} /> ${t("bulk.key")}</label>
      <label><input type="checkbox" name="together" checked=${wish.together} disabled=${marked.size > MOST_AT_ONCE} onChange=${(e) => put({ together: e.target.checked })} /> ${t("bulk.together", { count: MOST_AT_ONCE })}</label>
      <button class="primary" disabled=${state.busy || !says}>${t("bulk.write")}</button></div>
    ${state.busy && html`<p class="quiet" role="status">${t("bulk.busy")}</p>`}
    ${state.told && html`<p class=${`verdict ${state.told.refused ? "error" : "ok"}`} role="status">${t("bulk.told", state.told)}</p><${Outcomes} lines=${lines} marked=${state.marked} />`}
    ${state.problem && html`<${Failure} problem=${state.problem} />`}
    ${refused.length > 0 && html`<${Outcomes} marked=${state.marked} lines=${refused.map((one) => ({ clip: one.clip, kind: "error", says: known("outcome", "refused"), more: `${one.code} ${one.detail}` }))} />`}
  </form>`;
}

function Link({ marked }) {
  const asked = useAsked((signal) => get("/v1/cases", { limit: 200 }, signal), []);
  const [chosen, setChosen] = useState("");
  const [lines, setLines] = useState([]);
  const [busy, setBusy] = useState(false);

  // One after another: their order is that of the exhibits' numbers. One that is an exhibit keeps its number, so this can be sent again.
  async function link(event) {
    event.preventDefault();
    setBusy(true);
    setLines([]);
    for (const clip of marked.keys()) {
      let line;
      try {
        const { data } = await call("POST", `/v1/cases/${chosen}/clips`, { body: { clip }, headers: { "Idempotency-Key": onceKey() } });
        line = { clip, kind: "ok", says: t("bulk.exhibit", { number: data.exhibit }) };
      } catch (problem) {
        line = { clip, kind: "error", says: known("outcome", "refused"), more: `${problem.code} ${problem.message}` };
        if (problem.status === 401 || problem.status === 0) { setLines((before) => [...before, line]); break; }
      }
      setLines((before) => [...before, line]);
    }
    setBusy(false);
  }

  return html`<${Stated} asked=${asked}>${({ items }) => html`<form class="row" onSubmit=${link}>
      <select class="grow" aria-label=${t("cases.choose")} required value=${chosen} onChange=${(event) => setChosen(event.target.value)}>
        <option value="">${t("cases.choose")}</option>
        ${items.filter((item) => item.state !== "archived").map((item) => html`<option key=${item.case} value=${item.case}>${item.number} ${item.title}</option>`)}</select>
      <button class="primary" disabled=${busy || !chosen}>${t("bulk.link")}</button></form>`}</${Stated}>
    ${busy && html`<progress max=${marked.size} value=${lines.length} aria-label=${t("bulk.busy")}></progress>`}
    ${lines.length > 0 && html`<${Outcomes} lines=${lines} marked=${marked} />`}`;
}

function Package({ marked, words }) {
  const [purpose, setPurpose] = usePurpose();
  const [job, setJob] = useState(null);
  const [problem, setProblem] = useState(null);
  const [url, setUrl] = useState(null);
  const [key, setKey] = useState(onceKey());
  useEffect(() => setKey(onceKey()), [marked, purpose]);
  const going = job && ["waiting", "running"].includes(job.state);

  useEffect(() => {
    if (!going || problem) return undefined;
    const timer = setTimeout(() => void tried(async () => setJob(await get(`/v1/exports/${job.export}`))), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [job, problem]);

  async function tried(work) {
    try {
      setProblem(null);
      await work();
    } catch (error) {
      setProblem(error);
    }
  }

  const order = (event) => {
    event.preventDefault();
    setUrl(null);
    void tried(async () => setJob((await call("POST", "/v1/exports", { body: { purpose, clips: [...marked.keys()] }, headers: { "Idempotency-Key": key } })).data));
  };
  const fetchIt = () => void tried(async () => setUrl((await call("POST", `/v1/exports/${job.export}/downloads`, { body: { purpose } })).data.url));
  return html`<form class="row" onSubmit=${order}><${Purpose} words=${words} chosen=${purpose} onChoose=${setPurpose} />
      <button class="primary" disabled=${!purpose || going}>${t("bulk.export")}</button></form>
    ${job && html`<p role="status"><${Badge} kind=${job.state === "done" ? "ok" : ""}>${known("bundle", job.state)}</${Badge}>
      ${job.clips} · ${job.size ? bytesText(job.size) : bytesText(job.bytes_done)} ${job.reason ?? ""}</p>`}
    ${going && html`<progress max=${job.bytes_total ?? 1} value=${job.bytes_total ? job.bytes_done : undefined} aria-label=${t("bulk.busy")}></progress>`}
    ${job?.state === "done" && (url ? html`<p><a class="fetch" href=${url} download>${t("bulk.fetch_here")}</a></p>` : html`<button type="button" onClick=${fetchIt}>${t("bulk.fetch")}</button>`)}
    ${problem && html`<${Failure} problem=${problem} retry=${going ? () => setProblem(null) : undefined} />`}`;
}
