// Random samples for 案卷评查 that nobody can steer: bind oneself to a seed, wait for the log, reveal it, see what was drawn.
// The seed is made here and stays on this computer until the draw; nobody else has it.

import { html, useState } from "./vendor/preact-htm.js";
import { call, get, onceKey } from "./api.js";
import { Badge, Failure, Instant, Stated, shownText, useAsked } from "./parts.js";
import { t } from "./words.js";

const SAMPLERS = ["reviewer", "archivist"];
const hex = (bytes) => [...new Uint8Array(bytes)].map((one) => one.toString(16).padStart(2, "0")).join("");
const place = (commitment) => `shilu.seed.${commitment}`;

export function Samples({ me }) {
  const asked = useAsked((signal) => get("/v1/samples", { limit: 50 }, signal), []);
  return html`<section class="card part" id="samples"><h2>${t("sample.title")}</h2><p class="quiet small">${t("sample.about")}</p>
    ${SAMPLERS.includes(me.role) && html`<${Commit} onMade=${asked.retry} />`}
    <${Stated} asked=${asked}>${({ items }) => items.length
      ? html`<ul class="plain">${items.map((one) => html`<${Sample} key=${one.sample} one=${one} mayDraw=${SAMPLERS.includes(me.role)} onDrawn=${asked.retry} />`)}</ul>`
      : html`<p class="quiet">${t("sample.none")}</p>`}</${Stated}></section>`;
}

function Commit({ onMade }) {
  const [draw, setDraw] = useState("1");
  const [purpose, setPurpose] = useState("");
  const [state, setState] = useState({});
  async function send(event) {
    event.preventDefault();
    setState({ busy: true });
    try {
      const seed = crypto.getRandomValues(new Uint8Array(32));
      const commitment = hex(await crypto.subtle.digest("SHA-256", seed));
      // Kept before it is promised: a promise without its seed could never be drawn.
      localStorage.setItem(place(commitment), hex(seed));
      await call("POST", "/v1/samples", { body: { commitment, draw: Number(draw), purpose }, headers: { "Idempotency-Key": onceKey() } });
      setState({});
      setPurpose("");
      onMade();
    } catch (problem) {
      setState({ problem });
    }
  }
  return html`<form class="row" onSubmit=${send}>
    <label>${t("sample.draw_count")} <input type="number" min="1" max="10000" required value=${draw} onInput=${(e) => setDraw(e.target.value)} /></label>
    <label class="grow">${t("sample.purpose")} <input required maxlength="1000" value=${purpose} onInput=${(e) => setPurpose(e.target.value)} /></label>
    <button class="primary" disabled=${state.busy}>${t("sample.commit")}</button></form>
    ${state.problem && html`<${Failure} problem=${state.problem} />`}`;
}

function Sample({ one, mayDraw, onDrawn }) {
  const [state, setState] = useState({});
  const seed = localStorage.getItem(place(one.commitment));
  async function draw() {
    setState({ busy: true });
    try {
      await call("POST", `/v1/samples/${one.sample}/draw`, { body: { seed } });
      setState({});
      onDrawn();
    } catch (problem) {
      setState({ problem });
    }
  }
  return html`<li class="sample"><p><b>${shownText(one.purpose)}</b> <${Badge} kind=${one.drawn_at ? "ok" : "notice"}>${t(one.drawn_at ? "sample.drawn" : "sample.committed")}</${Badge}>
      ${" "}<${Instant} at=${one.committed_at} /> <span class="quiet small">${t("sample.basis", { population: one.population, draw: one.draw, size: one.size, rule: one.rule })}</span></p>
    ${!one.drawn_at && mayDraw && (seed ? html`<button type="button" disabled=${state.busy} onClick=${draw}>${t("sample.reveal")}</button>` : html`<p class="quiet small">${t("sample.elsewhere")}</p>`)}
    ${state.problem && html`<${Failure} problem=${state.problem} />`}
    ${one.drawn_at && html`<p class="quiet small">${t("sample.seed")} <code>${one.seed}</code></p>
      <ol>${one.cases.map((item) => html`<li key=${item.case}><a href=${`#/cases/${item.case}`}><code>${item.case}</code></a></li>`)}</ol>
      ${!one.cases.length && html`<p class="quiet">${t("sample.out_of_reach")}</p>`}`}</li>`;
}
