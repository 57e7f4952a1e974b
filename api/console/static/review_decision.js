// The decision: made here, or refused by the gate with everything that stands against it.

import { html } from "./vendor/preact-htm.js";
import { Actor, Field, Outcome, refusal, useAct } from "./acting.js";
import { Reasons } from "./case_evidence.js";
import { useDraft } from "./drafts.js";
import { Digest, Instant, shownText } from "./parts.js";
import { t } from "./words.js";

export function Decision({ one, review, me, changed }) {
  const draft = useDraft(`decision.${one.case}`, me.staff, { number: "", summary: "" });
  const doing = useAct(() => { draft.forget(); changed(); });
  const made = review.decision;
  if (made) return html`<section class="sheet decision"><h2>${t("decide.title")}</h2><p class="verdict ok">${shownText(made.number)}</p><p>${shownText(made.summary)}</p>
    <p class="quiet small"><${Instant} at=${made.decided_at} /> <${Actor} actor=${made.decided_by} me=${me} /> · ${t("round.root")} <${Digest} hex=${made.root} /></p>
    <p><a href=${`#/publicity?case=${one.case}&number=${encodeURIComponent(made.number)}`}>${t("decide.publish")}</a></p></section>`;
  const decide = (event) => { event.preventDefault(); void doing.post(`/v1/cases/${one.case}/decision`, { number: draft.content.number.trim(), summary: draft.content.summary.trim() }); };
  const { reasons } = refusal(doing);
  return html`<section class="sheet decision"><h2>${t("decide.title")}</h2>
    <p class=${review.may_be_decided ? "verdict ok" : "quiet"}>${t(review.may_be_decided ? "decide.may" : "decide.may_not")}</p>
    <form class="fields" onSubmit=${decide}>
      <${Field} label=${t("decide.number")} name="number" required value=${draft.content.number} onPut=${(number) => draft.put({ number })} />
      <div class="wide"><${Field} label=${t("decide.summary")} name="summary" rows=${2} required value=${draft.content.summary} onPut=${(summary) => draft.put({ summary })} /></div>
      <button class=${review.may_be_decided ? "primary" : ""} disabled=${doing.busy}>${t("decide.send")}</button>
      <${Outcome} doing=${doing} /></form>
    ${reasons && html`<${Reasons} kind="obstacle" reasons=${reasons} />`}</section>`;
}
