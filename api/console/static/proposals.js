// What a machine takes people to have said, beside what people say: read by a view like the footage, corrected where it is
// wrong, and taken over in the name of whoever listened. Nothing that stands is overwritten.

import { html, useState } from "./vendor/preact-htm.js";
import { Outcome, useAct } from "./acting.js";
import { call, get } from "./api.js";
import { Failure, Stated, clockText, shownText, useAsked } from "./parts.js";
import { usePurpose } from "./purpose.js";
import { learn, t } from "./words.js";
import { WORDS } from "./words/clip.js";

learn(WORDS);

const none = (problem) => {
  if (problem.status === 403 || problem.status === 404) return null;
  throw problem;
};

export function Proposals({ detail, me, onSeek, onTaken }) {
  const asked = useAsked((signal) => get(`/v1/clips/${detail.clip}/transcript`, {}, signal).catch(none), [detail.clip]);
  if (!me.rights.includes("accept_proposals")) return null;
  return html`<${Stated} asked=${asked}>${(found) => found?.entry &&
    html`<${Listed} key=${found.entry} entry=${found.entry} detail=${detail} onSeek=${onSeek} onTaken=${onTaken} />`}</${Stated}>`;
}

function Listed({ entry, detail, onSeek, onTaken }) {
  const [purpose] = usePurpose();
  const [segments, setSegments] = useState(null);
  const [problem, setProblem] = useState(null);
  const [corrected, setCorrected] = useState({});
  const [chosen, setChosen] = useState([]);
  const accepting = useAct(() => { setChosen([]); onTaken(); });
  const taken = new Set((detail.annotation?.content.dialogue ?? [])
    .filter((part) => part.proposal?.entry === entry).map((part) => part.proposal.index));

  async function read() {
    setProblem(null);
    try {
      const { data } = await call("POST", `/v1/clips/${detail.clip}/views`, { body: { purpose, rendition: "transcript" } });
      setSegments((await get(data.url)).segments);
    } catch (refused) {
      setProblem(refused);
    }
  }

  const pick = (index) => setChosen((before) => (before.includes(index) ? before.filter((one) => one !== index) : [...before, index]));
  const accept = (indexes) => accepting.post(`/v1/clips/${detail.clip}/proposals/accept`, {
    transcript: entry,
    utterances: indexes.map((index) => {
      const text = corrected[index]?.trim();
      return text && text !== segments[index].text ? { index, text } : { index };
    }),
  }, { "If-Match": `"${detail.annotation?.version ?? 0}"` });

  return html`<section class="proposals">
    <h2>${t("proposals.title")}</h2>
    <p class="quiet small">${t("proposals.about")}</p>
    ${!segments && html`<button type="button" disabled=${!purpose} onClick=${read}>${t("proposals.read")}</button>
      ${!purpose && html` <span class="quiet small">${t("view.choose")}</span>`}`}
    ${problem && html`<${Failure} problem=${problem} retry=${read} />`}
    ${segments && html`<ol class="plain">${segments.map((one, index) => html`<li class="row" key=${index}>
      <input type="checkbox" aria-label=${t("proposals.pick", { at: clockText(one.from_ms) })} disabled=${taken.has(index)}
        checked=${chosen.includes(index)} onChange=${() => pick(index)} />
      <button type="button" class="plain" onClick=${() => onSeek(one.from_ms)}>${clockText(one.from_ms)}</button>
      ${taken.has(index)
        ? html`<span class="grow quiet">${shownText(one.text)} · ${t("proposals.taken")}</span>`
        : html`<input class="grow" aria-label=${t("annotation.text")} value=${corrected[index] ?? one.text}
            onFocus=${() => onSeek(one.from_ms)} onInput=${(event) => setCorrected({ ...corrected, [index]: event.target.value })}
            onKeyDown=${(event) => { if (event.key === "Enter") { event.preventDefault(); void accept([index]); } }} />`}
      <span class="quiet small">${one.speaker ?? ""} ${typeof one.confidence === "number" ? t("proposals.sure", { percent: Math.round(one.confidence / 10) }) : ""}</span>
    </li>`)}</ol>
    <p><button type="button" class="primary" disabled=${!chosen.length || accepting.busy} onClick=${() => accept(chosen)}>${t("proposals.accept", { count: chosen.length })}</button>
      <span class="quiet small">${t("proposals.keys")}</span></p>`}
    <${Outcome} doing=${accepting} word="proposals.accepted" />
  </section>`;
}
