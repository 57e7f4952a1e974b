// Verification before the user's eyes, by the very code of verify.html: the browser reads the original in pieces, computes
// each step, and judges the log by what it remembers of it.

/* global verifySelection, FINDINGS, STEPS, sentence, shown, hex */
import { html, useEffect, useRef, useState } from "./vendor/preact-htm.js";
import { bytes, call, get } from "./api.js";
import { LogChanged, lookAtLog } from "./ledger.js";
import { hashed } from "./hashing.js";
import { Failure, bytesText, clockText, shownText } from "./parts.js";
import { Purpose, usePurpose } from "./purpose.js";
import { remote } from "./remote.js";
import { scriptAddress } from "./scripts.js";
import { currentLanguage, t } from "./words.js";

let loading = null;

// The judge is loaded when it is wanted: most pages do without.
export function loadJudge() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = scriptAddress("verify.js");
    script.onload = resolve;
    script.onerror = () => { loading = null; reject(new Error("verify.js")); };
    document.head.append(script);
  });
  return loading;
}

// What the judge reads over the network, a worker hashes; without looking at every piece of it the page stays alive.
const original = (url, size, signal) => ({ ...remote(url, size), hashed: (told) => hashed({ url, size }, told, signal) });

// Without them a difference is still found, and only its place stays unknown.
const noneKept = (problem) => {
  if (problem.code === "clip.leaves_missing") return null;
  throw problem;
};

export function ClipCheck({ clip, words, onSeek, onDamage }) {
  const [purpose, setPurpose] = usePurpose();
  const [state, setState] = useState({});
  const running = useRef(null);
  useEffect(() => () => running.current?.abort(), []);

  async function run() {
    const { signal } = running.current = new AbortController();
    setState({ busy: true });
    onDamage([]);
    try {
      await loadJudge();
      const log = await lookAtLog();
      const receipt = await bytes(`/v1/clips/${clip.clip}/receipt`);
      const { data: view } = await call("POST", `/v1/clips/${clip.clip}/views`, { body: { purpose, rendition: "original" } });
      const leaves = await bytes(`/v1/clips/${clip.clip}/leaves`).catch(noneKept);
      const name = "original";
      const selection = [{ path: name, file: original(view.url, clip.size, signal) }, { path: `${name}.receipt`, file: new Blob([receipt]) },
        ...(leaves ? [{ path: `${name}.leaves`, file: new Blob([leaves]) }] : [])];
      const progress = (_, __, ___, done, total) => setState({ busy: true, log, done, total });
      const made = await verifySelection(selection, log.policy.trimEnd(), null, progress);
      setState({ log, result: made.verifications[0], verdict: made.verdict });
      onDamage(made.verifications[0].findings.flatMap((found) => found.details.ranges ?? []).map((place) => secondsOf(place, clip)).filter(Boolean));
    } catch (error) {
      setState(error.name === "AbortError" ? {} : { problem: error });
    }
  }

  return html`<section class="check">
    <p>${t("verify.about")}</p>
    <${Purpose} words=${words} chosen=${purpose} onChoose=${setPurpose} />
    <p><button type="button" class="primary" disabled=${state.busy || !purpose} onClick=${run}>${t("verify.run")}</button>
      <a href="/console/verify.html" download>${t("verify.page")}</a></p>
    ${state.problem && (state.problem instanceof LogChanged
      ? html`<div class="failure" role="alert"><p>${t(state.problem.word, state.problem.values)}</p></div>`
      : html`<${Failure} problem=${state.problem} retry=${run} />`)}
    ${state.log && html`<${LogSeen} log=${state.log} />`}
    ${state.busy && html`<p role="status"><progress max="1" value=${state.total ? state.done / state.total : undefined}></progress>
      ${state.total ? t("verify.progress", { done: bytesText(state.done), total: bytesText(state.total) }) : t("state.loading")}
      <button type="button" class="give-up" onClick=${() => running.current.abort()}>${t("verify.give_up")}</button></p>`}
    ${state.result && html`<${Judged} result=${state.result} clip=${clip} onSeek=${onSeek} />`}
  </section>`;
}

function LogSeen({ log }) {
  return html`<p class=${log.isFirst ? "note" : "quiet"}>${log.isFirst
    ? t("verify.first")
    : `${t("verify.pinned", { date: log.since.slice(0, 10) })} · ${t("verify.grown", { before: log.before, now: log.now })}`}</p>`;
}

function Judged({ result, clip, onSeek }) {
  const words = currentLanguage();
  return html`<div class=${`verdict ${result.holds ? "ok" : "error"}`} role="status">${t(result.holds ? "verify.holds" : "verify.fails")}</div>
    <ol class="steps">${Object.entries(STEPS).map(([number, [zh, en]]) => html`<li key=${number}>
      <h3><span class="quiet">${t("verify.step", { number })}</span> ${words === "zh" ? zh : en}</h3>
      ${result.findings.filter((found) => found.details.obligation === Number(number)).map((found) => html`
        <p class=${`found ${found.severity}`}>${shown(sentence(FINDINGS[found.code][words], found.details))} <code>${found.code}</code></p>
        ${(found.details.ranges ?? []).map((place) => html`<${Place} place=${place} clip=${clip} onSeek=${onSeek} />`)}`)}
    </li>`)}</ol>`;
}

// Bytes of an original, as the milliseconds that they hold on average: enough to look there.
function secondsOf(place, clip) {
  const long = clip.derivation?.probe?.container?.duration_ms;
  if (!long) return null;
  return [place.first_byte, place.last_byte].map((byte) => Math.floor((byte / clip.size) * long));
}

function Place({ place, clip, onSeek }) {
  const [at] = secondsOf(place, clip) ?? [null];
  if (at === null || !onSeek) return null;
  return html`<button type="button" class="plain" onClick=${() => onSeek(at)}>≈ ${clockText(at)}</button>`;
}

// "Is this one of yours?": only a digest leaves this computer.
export function FileCheck() {
  const [state, setState] = useState({});

  async function ask(file) {
    if (!file) return;
    setState({ name: file.name, percent: 0 });
    try {
      await loadJudge();
      const told = (done, total) => setState({ name: file.name, percent: Math.floor((done * 100) / Math.max(1, total)) });
      const hashes = await hashed({ file }, told);
      const { items } = await get("/v1/clips", { sha256: hex(hashes.sha256) });
      setState({ name: file.name, found: items });
    } catch (error) {
      setState({ name: file.name, problem: error });
    }
  }

  return html`<section class="card drop" onDragOver=${(event) => event.preventDefault()}
      onDrop=${(event) => { event.preventDefault(); void ask(event.dataTransfer.files[0]); }}>
    <h1>${t("nav.verify")}</h1>
    <p>${t("verify.drop")}</p>
    <input type="file" aria-label=${t("nav.verify")} onChange=${(event) => ask(event.target.files[0])} />
    ${state.name && html`<p><strong>${shownText(state.name)}</strong></p>`}
    ${state.percent !== undefined && html`<p role="status">${t("verify.hashing", { percent: state.percent })}</p>`}
    ${state.problem && html`<${Failure} problem=${state.problem} />`}
    ${state.found && (state.found.length
      ? html`<p class="verdict ok" role="status">${t("verify.known")} ${state.found.map((item) => html`<a href=${`#/clips/${item.clip}`}>${shownText(item.name)}</a> `)}</p>`
      : html`<p class="note" role="status">${t("verify.unknown")}</p>`)}
    <p><a href="/console/verify.html" download>${t("verify.page")}</a></p>
  </section>`;
}
