// Smaller steps of a review: supplements asked for and answered, another position and who coordinates, the outcome.

import { html } from "./vendor/preact-htm.js";
import { get } from "./api.js";
import { Choice, Field, Outcome, useAct } from "./acting.js";
import { Folded, useDraft } from "./drafts.js";
import { useAsked } from "./parts.js";
import { known, t } from "./words.js";

// One step in words: a folded form whose draft is kept, sent by `send(content)`.
function Step({ title, button, about, empty, me, changed, send, children }) {
  const draft = useDraft(about, me.staff, empty);
  const doing = useAct(() => { draft.forget(); changed(); });
  const act = (event) => { event.preventDefault(); void send(doing, draft.content); };
  const field = (name, label, more) => html`<${Field} label=${label} name=${name} rows=${2} required value=${draft.content[name]} onPut=${(text) => draft.put({ [name]: text })} ...${more} />`;
  return html`<${Folded} title=${title} about=${about} me=${me}><form class="fields" onSubmit=${act}>${children(field, draft)}
    <button class="primary" disabled=${doing.busy}>${button}</button><${Outcome} doing=${doing} /></form></${Folded}>`;
}

export const Supplement = ({ one, me, changed }) => html`<${Step} title=${t("step.supplement")} button=${t("step.ask")} about=${`supplement.${one.case}`} empty=${{ request: "" }} me=${me} changed=${changed}
  send=${(doing, body) => doing.post(`/v1/cases/${one.case}/review/supplements`, body)}>${(field) => html`<div class="wide">${field("request", t("step.request"))}</div>`}</${Step}>`;

export const SupplementAnswer = ({ one, me, changed }) => html`<${Step} title=${t("step.answer")} button=${t("step.answer")} about=${`answer.${one.case}`} empty=${{ answer: "" }} me=${me} changed=${changed}
  send=${(doing, body) => doing.post(`/v1/cases/${one.case}/review/answers`, body)}>${(field) => html`<div class="wide">${field("answer", t("step.answer_hint"))}</div>`}</${Step}>`;

export function Disagreement({ one, me, changed }) {
  const people = useAsked((signal) => get("/v1/review/qualifications", { limit: 100 }, signal), []);
  const others = [...new Set((people.data?.items ?? []).map((item) => item.staff))].filter((staff) => staff !== me.staff);
  return html`<${Step} title=${t("step.disagree")} button=${t("step.disagree")} about=${`disagree.${one.case}`} empty=${{ position: "", coordinator: "" }} me=${me} changed=${changed}
    send=${(doing, { position, coordinator }) => doing.post(`/v1/cases/${one.case}/review/disagreements`, { position, coordinator: coordinator.trim() })}>${(field) => html`
    <div class="wide">${field("position", t("step.position"))}</div>
    <div class="wide">${field("coordinator", t("step.coordinator"), { rows: undefined, list: "coordinators", pattern: "[0-9a-f\\-]{36}", hint: t("step.coordinator_hint") })}
      <datalist id="coordinators">${others.map((staff) => html`<option key=${staff} value=${staff} />`)}</datalist></div>`}</${Step}>`;
}

export const Outcomes = ({ one, me, changed }) => html`<${Step} title=${t("step.outcome")} button=${t("step.settle")} about=${`outcome.${one.case}`} empty=${{ outcome: "uphold", minutes: "", reason: "" }} me=${me} changed=${changed}
  send=${(doing, body) => doing.post(`/v1/cases/${one.case}/review/outcomes`, body)}>${(field, draft) => html`
  <${Choice} label=${t("step.outcome")} name="outcome" value=${draft.content.outcome} options=${["uphold", "reopen"].map((name) => [name, known("outcome", name)])} onPut=${(text) => draft.put({ outcome: text })} />
  <div class="wide">${field("minutes", t("step.minutes"))}</div><div class="wide">${field("reason", t("step.reason"))}</div>`}</${Step}>`;
