// Submitting, for the first time or again: the handler hands materials in, answers each problem of the last opinion, and
// signs a declaration over the evidence as it stands.

import { html } from "./vendor/preact-htm.js";
import { Choice, Field, Outcome, refusal, useAct } from "./acting.js";
import { Reasons, meant } from "./case_evidence.js";
import { useDraft } from "./drafts.js";
import { Signature } from "./signing.js";
import { shownText } from "./parts.js";
import { t } from "./words.js";

export function SubmissionForm({ one, review, documents, me, changed }) {
  const draft = useDraft(`submission.${one.case}`, me.staff, { documents: {}, notes: {}, answers: {}, declares: "" });
  const doing = useAct(() => { draft.forget(); changed(); });
  const { documents: chosen, notes, answers, declares } = draft.content;
  const problems = review.rounds.findLast((round) => round.opinion)?.opinion.statement.problems ?? [];
  const owed = problems.filter((problem) => review.owed.includes(problem.problem));
  const declaration = () => ({
    format: "shilu-review-declaration/1",
    case: one.case,
    round: review.next_round,
    root: review.root,
    rules: review.rules,
    by: me.staff,
    materials: review.materials.filter(({ key }) => chosen[key] || notes[key]?.trim())
      .map(({ key }) => ({ key, ...(chosen[key] ? { document: chosen[key] } : {}), ...(notes[key]?.trim() ? { note: notes[key].trim() } : {}) })),
    answers: owed.filter(({ problem }) => answers[problem]?.trim()).map(({ problem }) => ({ problem, answer: answers[problem].trim() })),
    declares: declares.trim() || t("submit.declaration"),
  });
  const send = (statement, signature) => doing.post(`/v1/cases/${one.case}/review/submissions`, { statement, signature });
  const { reasons = [], changes } = refusal(doing);
  const wrong = (name, value) => reasons.filter((reason) => reason[name] === value).map((reason) => meant("reason", reason)).join(" ");
  const elsewhere = reasons.filter((reason) => reason.material === undefined && reason.problem === undefined);
  return html`<section class="sheet submission"><h2>${t(review.rounds.length ? "submit.again" : "submit.title", { number: review.next_round })}</h2>
    ${review.materials.length > 0 && html`<h3>${t("submit.materials")}</h3>${review.materials.map((material) => html`<div class="fields material" key=${material.key}>
      <p class="wide">${material.title} ${material.required && html`<strong class="bad">${t("submit.required")}</strong>`}</p>
      <${Choice} label=${t("submit.document")} name=${`material-${material.key}`} value=${chosen[material.key] ?? ""} empty=${t("submit.no_document")} options=${documents.map((document) => [document.document, shownText(document.title)])}
        onPut=${(text) => draft.put({ documents: { ...chosen, [material.key]: text } })} />
      <${Field} label=${t("submit.note")} value=${notes[material.key] ?? ""} wrong=${wrong("material", material.key)} onPut=${(text) => draft.put({ notes: { ...notes, [material.key]: text } })} /></div>`)}`}
    ${owed.length > 0 && html`<h3>${t("submit.answers")}</h3>${owed.map(({ problem, text }) => html`<${Field} key=${problem} label=${shownText(`${problem}. ${text}`)} name=${`answer-${problem}`} rows=${2} value=${answers[problem] ?? ""}
      wrong=${wrong("problem", problem)} onPut=${(typed) => draft.put({ answers: { ...answers, [problem]: typed } })} />`)}`}
    <${Field} label=${t("submit.declares")} rows=${2} value=${declares} placeholder=${t("submit.declaration")} onPut=${(text) => draft.put({ declares: text })} />
    <${Signature} statement=${declaration} send=${send} busy=${doing.busy} label=${t("submit.send")} />
    <${Outcome} doing=${doing} />
    ${elsewhere.length > 0 && html`<${Reasons} kind="reason" reasons=${elsewhere} />`}
    ${changes && html`<p><button type="button" onClick=${changed}>${t("round.look_again")}</button></p>`}</section>`;
}
