// One clip: what it shows, what is said about it, and what the record says. Looking asks for a purpose and goes on record
// before the first byte; everything else stands beside the picture.

import { html, useEffect, useMemo, useRef, useState } from "./vendor/preact-htm.js";
import { AnnotationEditor } from "./annotation.js";
import { bytes, call, get } from "./api.js";
import { LinkToCase } from "./cases.js";
import { ClipCheck } from "./checking.js";
import { Badge, Digest, Failure, Instant, Stated, bytesText, clockText, shownText, useAsked } from "./parts.js";
import { Neighbours } from "./neighbours.js";
import { Person } from "./people.js";
import { Player } from "./player.js";
import { Proposals } from "./proposals.js";
import { Purpose, usePurpose } from "./purpose.js";
import { Sharing } from "./share.js";
import { Still } from "./still.js";
import { Timeline } from "./timeline.js";
import { readWaveform } from "./waveform.js";
import { currentLanguage, known, t } from "./words.js";

const TABS = ["annotation", "continuity", "history", "verify", "case", "share"];

export function ClipView({ clip, at, me, words }) {
  const asked = useAsked((signal) => get(`/v1/clips/${clip}`, {}, signal), [clip]);
  return html`<${Stated} asked=${asked}>${(detail) =>
    html`<${Shown} detail=${detail} at=${at} me=${me} words=${words} reload=${asked.retry} />`}</${Stated}>`;
}

function Shown({ detail, at, me, words, reload }) {
  const [tab, setTab] = useState("annotation");
  const [view, setView] = useState(null);
  const [place, setPlace] = useState({ ms: at, range: [null, null] });
  const player = useRef(null);
  const long = detail.derivation?.probe?.container?.duration_ms ?? 0;
  const seek = (ms) => player.current?.seek(ms);
  const marks = useMemo(() => detail.annotation?.content.markers ?? [], [detail]);
  const moved = (ms) => setPlace((before) => ({ ...before, ms }));
  const ranged = (side, ms) => setPlace((before) => ({ ...before, range: side ? [before.range[0], ms] : [ms, before.range[1]] }));
  const [still, setStill] = useState(null);
  const [damage, setDamage] = useState([]);
  const continuity = useAsked((signal) => get(`/v1/clips/${detail.clip}/continuity`, {}, signal).catch(notThere), [detail.clip]);

  const tabs = TABS.filter((name) => name !== "share" || me.rights.includes("list_clip_links"));
  const panes = {
    annotation: html`<${AnnotationEditor} key=${detail.clip} detail=${detail} me=${me} words=${words} place=${place} onSeek=${seek} onSaved=${reload} />
      <${Proposals} detail=${detail} me=${me} onSeek=${seek} onTaken=${reload} />`,
    continuity: html`<${Continuity} asked=${continuity} onSeek=${seek} />`,
    history: html`<${History} clip=${detail.clip} />`,
    verify: html`<${ClipCheck} clip=${detail} words=${words} onSeek=${seek} onDamage=${setDamage} />`,
    case: html`<${LinkToCase} detail=${detail} onLinked=${reload} />`,
    share: html`<${Sharing} detail=${detail} me=${me} words=${words} />`,
  };
  return html`<article class="clip">
    <header>
      <p class="small"><a href="#/search" onClick=${(event) => { if (history.length > 1) { event.preventDefault(); history.back(); } }}>← ${t("clip.back")}</a></p>
      <h1>${shownText(detail.name)} <${Badge} kind=${detail.state}>${known("state", detail.state)}</${Badge}></h1>
      <${Facts} detail=${detail} />
    </header>
    <div class="columns">
      <section class="stage grow" aria-label=${t("player.timeline")}>
        ${view
          ? html`<${Player} ref=${player} view=${view} start=${at} onTime=${moved} onRange=${ranged}
              onMark=${() => setTab("annotation")} onStill=${(ms) => setStill((before) => ({ ms, turn: (before?.turn ?? 0) + 1 }))} frameRate=${frameRate(detail)} said=${detail.annotation?.content} words=${words} />`
          : html`<${Opening} detail=${detail} words=${words} onOpened=${setView} />`}
        <${Timeline} long=${long} place=${place} marks=${marks} damage=${damage} dialogue=${detail.annotation?.content.dialogue ?? []} beside=${view?.beside}
          observations=${continuity.data?.observations ?? []} words=${words} onSeek=${seek} />
        ${still && html`<${Still} key=${still.turn} clip=${detail.clip} ms=${still.ms} onSeek=${seek} onClose=${() => setStill(null)} />`}
        <${Neighbours} detail=${detail} long=${long} />
      </section>
      <section class="panel">
        <div role="tablist" onKeyDown=${(event) => turn(event, tabs, tab, setTab)}>${tabs.map((name) => html`<button type="button" role="tab" key=${name}
          id=${`tab-${name}`} aria-selected=${tab === name} aria-controls="pane" tabindex=${tab === name ? 0 : -1}
          onClick=${() => setTab(name)}>${t(`tab.${name}`)}</button>`)}</div>
        <div role="tabpanel" id="pane" aria-labelledby=${`tab-${tab}`}>${panes[tab]}</div>
      </section>
    </div>
  </article>`;
}

function turn(event, tabs, tab, setTab) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  event.stopPropagation();
  const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
  setTab(next);
  document.getElementById(`tab-${next}`).focus();
}

const notThere = (problem) => {
  if (problem.status === 404 || problem.status === 409) return null;
  throw problem;
};

const frameRate = (detail) => {
  const rate = detail.derivation?.probe?.pictures?.[0]?.frame_rate;
  const [over, under = 1] = String(rate ?? "25").split("/").map(Number);
  return over / under || 25;
};

function Facts({ detail }) {
  const source = detail.sources[0] ?? {};
  return html`<dl class="facts">
    <div><dt>${t("column.recorded")}</dt><dd><${Instant} at=${source.recorded_at} source=${t("column.recorder")} /></dd></div>
    <div><dt>${t("clip.received")}</dt><dd><${Instant} at=${detail.received_at} /></dd></div>
    <div><dt>${t("column.recorder")}</dt><dd>${source.recorder ?? "—"}</dd></div>
    <div><dt>${t("column.officer")}</dt><dd>${source.officer ?? "—"}</dd></div>
    <div><dt>${t("clip.size")}</dt><dd>${bytesText(detail.size)}</dd></div>
    <div><dt>${t("clip.digest")}</dt><dd><${Digest} hex=${detail.sha256} /></dd></div>
    <div><dt>${t("clip.index")}</dt><dd>${detail.index ?? t("clip.unpublished")}</dd></div>
    <div><dt>${t("column.cases")}</dt><dd>${detail.cases.map((link) => `${link.number}-${link.exhibit}`).join("、") || "—"}</dd></div>
  </dl>`;
}

function Opening({ detail, words, onOpened }) {
  const [purpose, setPurpose] = usePurpose();
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const kinds = new Set((detail.derivation?.renditions ?? []).map((made) => made.kind));
  const rendition = ["proxy", "poster"].find((kind) => kinds.has(kind)) ?? (detail.preview ? detail.preview.kind : null);
  if (!rendition) return html`<p class="empty">${t("clip.no_picture")} ${detail.derivation?.reason ?? ""}</p>`;

  async function openView() {
    setBusy(true);
    setProblem(null);
    try {
      const { data } = await call("POST", `/v1/clips/${detail.clip}/views`, { body: { purpose, rendition } });
      const made = detail.derivation?.renditions.find((one) => one.kind === rendition) ?? detail.preview;
      const [waveform, speech] = await Promise.all([
        kinds.has("waveform") ? bytes(`${data.url}/waveform`).then(readWaveform, () => null) : null,
        kinds.has("speech") ? get(`${data.url}/speech`).then((said) => said.segments, () => null) : null,
      ]);
      onOpened({ url: data.url, type: made.media_type, playlist: kinds.has("playlist"), beside: { waveform, speech } });
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  }

  return html`<div class="screen closed">
    <p>${t("view.recorded")}</p>
    <${Purpose} words=${words} chosen=${purpose} onChoose=${setPurpose} />
    <button type="button" class="primary" disabled=${busy || !purpose} onClick=${openView}>${t("view.open")}</button>
    ${problem && html`<${Failure} problem=${problem} />`}
  </div>`;
}

function Continuity({ asked, onSeek }) {
  const words = currentLanguage();
  return html`<${Stated} asked=${asked}>${(found) => {
    const all = [...(found?.observations ?? []), ...(found?.sequence ?? [])];
    if (!all.length) return html`<p class="empty">${t("continuity.none")}</p>`;
    return html`<p class="quiet">${t("continuity.leads")}</p><ul class="plain">${all.map((one) => html`<li class="observation">
      <${Badge} kind=${one.severity}>${t(`severity.${one.severity}`)}</${Badge}> ${one[words] || one.code}
      ${one.ms && html` <button type="button" class="plain" onClick=${() => onSeek(one.ms[0])}>${clockText(one.ms[0])}</button>`}
      ${one[`causes_${words}`] && html`<p class="quiet small">${t("continuity.causes")}：${one[`causes_${words}`]}</p>`}
      <code class="small">${one.code}</code></li>`)}</ul>`;
  }}</${Stated}>`;
}

function History({ clip }) {
  const [items, setItems] = useState([]);
  const [next, setNext] = useState(undefined);
  const [problem, setProblem] = useState(null);
  async function read(cursor) {
    setProblem(null);
    try {
      const page = await get(`/v1/clips/${clip}/history`, { limit: 100, cursor });
      setItems((before) => [...(cursor ? before : []), ...page.items]);
      setNext(page.next);
    } catch (error) {
      setProblem(error);
    }
  }
  useEffect(() => void read(null), [clip]);
  return html`<ol class="history">${items.map((item) => html`<li key=${item.entry}>
      <${Instant} at=${item.at} /> <strong>${item.type}</strong> <${Person} actor=${item.actor} />
      <details><summary class="small">${item.index === null ? t("clip.unpublished") : t("history.index", { index: item.index })}</summary>
        <pre>${JSON.stringify(item.payload, null, 1)}</pre></details></li>`)}</ol>
    ${problem && html`<${Failure} problem=${problem} retry=${() => read(next ?? null)} />`}
    ${next && html`<button type="button" onClick=${() => read(next)}>${t("state.more")}</button>`}`;
}
