// The written opinion: every row of the checklist judged with a note and the evidence looked at, then 同意 or 存在问题, signed.
// A row that is blank keeps it from being sent; what the service refuses beyond that is shown at the row it is about.

import { html, useState } from "./vendor/preact-htm.js";
import { Choice, Field, Outcome, refusal, useAct } from "./acting.js";
import { shownText } from "./parts.js";
import { useDraft } from "./drafts.js";
import { Signature } from "./signing.js";
import { known, t } from "./words.js";

const listed = (text, by) => (text ?? "").split(by).map((part) => part.trim()).filter(Boolean);

// What the service has against an opinion is an English sentence; those that a person meets here are said in words.
const REFUSED = [
  [/ is not judged$/, "refused.blank"],
  [/ is a problem that no problem names$/, "refused.unnamed"],
  [/^a problem names .* judged otherwise$/, "refused.otherwise"],
  [/^an approval has no problems$/, "refused.approval"],
  [/names them$/, "refused.problems"],
];

function refusedText(text) {
  const word = REFUSED.find(([pattern]) => pattern.test(text))?.[1];
  return word ? t(word) : text;
}

export function OpinionForm({ one, review, me, changed }) {
  const round = review.rounds.at(-1);
  const draft = useDraft(`opinion.${round.submission}`, me.staff, { rows: {}, conclusion: "" });
  const doing = useAct(() => { draft.forget(); changed(); });
  const [blank, setBlank] = useState([]);
  const { rows, conclusion } = draft.content;
  const put = (key, part) => { draft.put({ rows: { ...rows, [key]: { ...rows[key], ...part } } }); setBlank((before) => before.filter((row) => row !== key)); };
  const asked = review.checklist;

  function opinion() {
    const open = asked.filter(({ key }) => !rows[key]?.verdict || !rows[key]?.note?.trim()).map(({ key }) => key);
    setBlank(conclusion ? open : [...open, ""]);
    if (open.length || !conclusion) {
      document.getElementById(`row-${open[0] ?? ""}`)?.scrollIntoView({ block: "center" });
      return null;
    }
    const problems = asked.filter(({ key }) => rows[key].verdict === "problem").flatMap(({ key }) => listed(rows[key].text, "\n").map((text) => ({ row: key, text })));
    return {
      format: "shilu-review-opinion/1",
      case: one.case,
      round: round.round,
      root: round.root,
      submission: round.submission,
      by: me.staff,
      conclusion,
      rows: asked.map(({ key }) => ({ row: key, verdict: rows[key].verdict, note: rows[key].note.trim(), evidence: listed(rows[key].evidence, /[,，、\n]/) })),
      problems: problems.map((problem, place) => ({ problem: place + 1, ...problem })),
    };
  }

  const send = (statement, signature) => doing.post(`/v1/cases/${one.case}/review/opinions`, { statement, signature });
  const { problems: refused = [] } = refusal(doing);
  const about = (key) => refused.filter((text) => text.split(/[\s,]+/).includes(key));
  const rest = refused.filter((text) => !asked.some(({ key }) => about(key).includes(text)));
  const verdicts = (row) => ["ok", "problem", "not_applicable", ...(row.opens === "transfer" ? ["transfer"] : [])].map((name) => [name, known("verdict", name)]);
  return html`<section class="sheet opinion"><h2>${t("opinion.title", { number: round.round })}</h2>
    ${round.declaration.statement.materials.length > 0 && html`<h3>${t("submit.materials")}</h3><ul>${review.materials.map((material) => {
      const given = round.declaration.statement.materials.find((found) => found.key === material.key);
      return html`<li key=${material.key}>${given ? "✓" : "—"} ${material.title} ${given?.document && html`<a href=${`#/clips/${given.document}`}>${t("file.open")}</a>`} ${given?.note && shownText(given.note)}</li>`;
    })}</ul>`}
    <h3>${t("opinion.rows")}</h3>
    ${asked.map((row) => html`<fieldset class=${blank.includes(row.key) ? "fields judged wrong" : "fields judged"} id=${`row-${row.key}`} key=${row.key}>
      <legend title=${row.quote}>${row.title} <span class="quiet small">${row.source}</span></legend>
      <${Choice} label=${t("opinion.verdict")} name=${`verdict-${row.key}`} value=${rows[row.key]?.verdict ?? ""} empty="" options=${verdicts(row)} onPut=${(verdict) => put(row.key, { verdict })} />
      <${Field} label=${t("opinion.note")} name=${`note-${row.key}`} value=${rows[row.key]?.note ?? ""} onPut=${(note) => put(row.key, { note })} />
      <${Field} label=${t("opinion.evidence")} hint=${t("opinion.evidence_hint")} name=${`evidence-${row.key}`} value=${rows[row.key]?.evidence ?? ""} onPut=${(evidence) => put(row.key, { evidence })} />
      ${rows[row.key]?.verdict === "problem" && html`<div class="wide"><${Field} label=${t("opinion.problems")} hint=${t("opinion.problems_hint")} name=${`problems-${row.key}`} rows=${2} value=${rows[row.key]?.text ?? ""} onPut=${(text) => put(row.key, { text })} /></div>`}
      ${blank.includes(row.key) && html`<p class="bad wide" role="alert">${t("opinion.blank")}</p>`}
      ${about(row.key).map((text) => html`<p class="bad wide" role="alert" key=${text}>${refusedText(text)}</p>`)}</fieldset>`)}
    <fieldset class=${blank.includes("") ? "fields judged wrong" : "fields judged"} id="row-"><legend>${t("opinion.conclusion")}</legend>
      ${["approve", "problems"].map((name) => html`<label key=${name}><input type="radio" name="conclusion" value=${name} checked=${conclusion === name} onChange=${() => { draft.put({ conclusion: name }); setBlank((before) => before.filter(Boolean)); }} /> ${known("conclusion", name)}</label>`)}
      ${blank.includes("") && html`<p class="bad wide" role="alert">${t("opinion.no_conclusion")}</p>`}</fieldset>
    <${Signature} statement=${opinion} send=${send} busy=${doing.busy} label=${t("opinion.send")} />
    <${Outcome} doing=${doing} />
    ${rest.length > 0 && html`<ul>${rest.map((text) => html`<li key=${text} class="bad">${refusedText(text)}</li>`)}</ul>`}</section>`;
}
