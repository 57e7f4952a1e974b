// Legal review (法制审核): what waits for whom, and one case with its evidence, its differences since the last round, its
// rounds, and whatever its next step is. What may be done, and whether it is enough, is the service's to say.

import { html, useState } from "./vendor/preact-htm.js";
import { get } from "./api.js";
import { Actor } from "./acting.js";
import { AgainstSubmission, Changes, Reasons } from "./case_evidence.js";
import { documentsOf, exhibitsOf } from "./case_file.js";
import { Badge, Digest, Failure, Instant, Stated, shownText, useAsked } from "./parts.js";
import { Decision } from "./review_decision.js";
import { OpinionForm } from "./review_opinion.js";
import { Disagreement, Outcomes, Supplement, SupplementAnswer } from "./review_steps.js";
import { SubmissionForm } from "./review_submission.js";
import { OwnKey } from "./signing.js";
import { known, learn, t } from "./words.js";
import { WORDS as DESK } from "./words/desk.js";
import { WORDS } from "./words/review.js";

learn(DESK);
learn(WORDS);

export const Page = ({ where, me }) => (where.id ? html`<${Review} key=${where.id} id=${where.id} me=${me} />` : html`<${Queue} me=${me} />`);

// What waits for me first, and everything in review that I may know of below it; each list goes on when somebody asks.
function Queue({ me }) {
  const [late, setLate] = useState(false);
  const mine = useList({ mine: true, ...(late ? { late } : {}) });
  const all = useList(late ? { late } : {});
  const counts = all.counts;
  return html`<article class="review"><h1>${t("nav.review")}</h1>
    ${counts && html`<p class="chips">${Object.entries(counts.states).map(([state, count]) => html`<span class="chip" key=${state}>${count} ${known("review", state)}</span>`)}
      <button type="button" class="chip" aria-pressed=${late ? "true" : "false"} onClick=${() => setLate(!late)}>${counts.late} ${t("queue.late")}</button></p>`}
    <h2>${t("queue.mine")}</h2><${List} list=${mine} me=${me} />
    <h2>${t("queue.all")}</h2><${List} list=${all} me=${me} />
    <${OwnKey} me=${me} /></article>`;
}

// A page may be shorter than its limit and still have a next one.
function useList(query) {
  const [more, setMore] = useState({ items: [] });
  const key = JSON.stringify(query);
  const asked = useAsked(async (signal) => {
    setMore({ items: [] });
    return get("/v1/reviews", query, signal);
  }, [key]);
  const next = more.next === undefined ? asked.data?.next : more.next;
  async function goOn() {
    setMore({ ...more, busy: true });
    try {
      const page = await get("/v1/reviews", { ...query, cursor: next });
      setMore({ items: [...more.items, ...page.items], next: page.next });
    } catch (problem) {
      setMore({ ...more, problem });
    }
  }
  return { asked, more, next, goOn, counts: asked.data?.counts };
}

const List = ({ list: { asked, more, next, goOn }, me }) => html`<${Stated} asked=${asked}>${({ items }) => {
  const found = [...items, ...more.items];
  return html`${found.length ? html`<${Waiting} items=${found} me=${me} />` : html`<p class="empty">${t("queue.nothing")}</p>`}
    ${more.problem && html`<${Failure} problem=${more.problem} />`}
    ${next && html`<button type="button" disabled=${more.busy && !more.problem} onClick=${goOn}>${t("queue.more")}</button>`}`;
}}</${Stated}>`;

const Waiting = ({ items, me }) => html`<table class="dense"><thead><tr><th scope="col">${t("cases.number")}</th><th scope="col">${t("cases.name")}</th><th scope="col">${t("column.state")}</th>
    <th scope="col">${t("queue.rounds")}</th><th scope="col">${t("queue.waits_for")}</th><th scope="col">${t("queue.due")}</th></tr></thead>
  <tbody>${items.map((one) => html`<tr key=${one.case}><td><a href=${`#/review/${one.case}`}>${shownText(one.number)}</a></td><td class="wide">${shownText(one.title)}</td>
    <td><${Badge} kind=${STATES[one.state]}>${known("review", one.state)}</${Badge}></td><td>${one.rounds}</td>
    <td>${t(`queue.${one.waits_for.office}`)} ${one.waits_for.person && html`<${Actor} actor=${one.waits_for.person} me=${me} />`}</td>
    <td>${one.due ? html`<span title=${one.due.citation}>${one.due.due_on}</span> ${one.late && html`<${Badge} kind="error">${t("queue.late")}</${Badge}>`}
      ${one.due.state === "paused" && html`<${Badge} kind="warning">${t("queue.stands_still")}</${Badge}>`}<br /><span class="quiet small">${one.due.citation}</span>` : "—"}</td></tr>`)}</tbody></table>`;

const STATES = { approved: "ok", decided: "ok", returned: "error", under_review: "notice", paused: "warning" };

const State = ({ review }) => html`<${Badge} kind=${STATES[review.state]}>${known("review", review.state)}</${Badge}>
  ${review.state === "approved" && !review.may_be_decided && html` <${Badge} kind="error">${t("queue.void")}</${Badge}>`}`;

function Review({ id, me }) {
  const [turn, setTurn] = useState(0);
  const changed = () => setTurn((count) => count + 1);
  const asked = useAsked((signal) => Promise.all([
    get(`/v1/cases/${id}`, {}, signal),
    get(`/v1/cases/${id}/review`, {}, signal),
    exhibitsOf(id, signal),
    documentsOf(id, signal),
  ]), [id, turn]);
  return html`<${Stated} asked=${asked}>${([one, review, { items: exhibits }, documents]) => {
    const given = { one, review, exhibits, documents, me, changed };
    return html`<article class="review">
      <p><a href="#/review">${t("queue.back")}</a> · <a href=${`#/cases/${id}`}>${t("queue.case")}</a></p>
      <h1>${shownText(`${one.number} ${one.title}`)} <${State} review=${review} /></h1>
      <p class="quiet small" title=${review.scope.because}>${review.scope.in_scope ? t("review.in_scope", { source: review.scope.source }) : t("review.out_of_scope")}
        · ${t("round.rules", { version: review.rules_version })} · ${t("round.root")} <${Digest} hex=${review.root} /></p>
      <div class="columns desk"><div class="grow"><${Next} ...${given} /></div>
        <aside class="side" aria-label=${t("round.evidence")}><${Evidence} ...${given} /></aside></div>
      <${Rounds} ...${given} />
      <${OwnKey} me=${me} />
    </article>`;
  }}</${Stated}>`;
}

// The next step, by where the review is and who looks: forms for what this person's role may do, words for the rest.
function Next(given) {
  const { review, me } = given;
  const { state } = review;
  const may = (right) => me.rights.includes(right);
  const own = review.rounds.at(-1)?.submitted_by === `staff:${me.staff}`;
  const judges = may("give_opinion") && state === "under_review" && !own;
  const changedSince = review.rounds.length > 0 && review.changes.length > 0;
  const submits = may("submit_for_review") && state !== "coordinating" && state !== "decided" && review.scope.in_scope
    && (!["under_review", "approved"].includes(state) || changedSince);
  return html`
    ${review.obstacles.length > 0 && html`<section class="sheet"><h2>${t("round.obstacles")}</h2><${Reasons} kind="obstacle" reasons=${review.obstacles} /></section>`}
    ${judges && html`<${OpinionForm} ...${given} /><${Supplement} ...${given} />`}
    ${may("answer_supplement") && state === "paused" && html`<${SupplementAnswer} ...${given} />`}
    ${submits && html`<${SubmissionForm} ...${given} />`}
    ${may("disagree_with_opinion") && state === "returned" && html`<${Disagreement} ...${given} />`}
    ${state === "coordinating" && may("coordinate_review") && html`<${Outcomes} ...${given} />`}
    ${(may("decide_case") || review.decision) && html`<${Decision} ...${given} />`}`;
}

function Evidence({ one, review, exhibits, documents }) {
  const last = review.rounds.at(-1);
  return html`
    ${last && html`<section><h2>${t("review.changed_since")}</h2><${Changes} changes=${review.changes} id=${one.case} exhibits=${exhibits} /></section>`}
    ${review.rounds.length > 1 && html`<section><h2>${t("round.against_before", { number: last.round })}</h2><${Changes} changes=${last.changes} id=${one.case} exhibits=${exhibits} /></section>`}
    <section><h2>${t("round.evidence")}</h2>
      <ul class="plain changes">${exhibits.map((item) => html`<li key=${item.exhibit}><a href=${`#/clips/${item.clip}`}>${one.number}-${item.exhibit}</a> ${item.title}</li>`)}
        ${documents.map((item) => html`<li key=${item.document}><${Badge}>${t("file.document")}</${Badge}> <a href=${`#/clips/${item.document}`}>${item.title}</a> ${item.number}</li>`)}</ul>
      <${AgainstSubmission} reasons=${review.against_submission} /></section>`;
}

const VERDICTS = { ok: "ok", problem: "error", transfer: "warning" };

function Rounds({ review, me, one, exhibits }) {
  const rowTitle = (key) => review.checklist.find((row) => row.key === key)?.title ?? key;
  return html`${[...review.rounds].reverse().map((round) => html`<section class="sheet round" key=${round.round}><h2>${t("review.round", { number: round.round })}</h2>
    <p>${t("round.submitted")} <${Instant} at=${round.submitted_at} /> <${Actor} actor=${round.submitted_by} me=${me} /> · ${t("round.root")} <${Digest} hex=${round.root} />
      <br />${shownText(round.declaration.statement.declares)}</p>
    ${round.declaration.statement.answers.length > 0 && html`<h3>${t("round.answers")}</h3><ol>${round.declaration.statement.answers.map((answer) => html`<li key=${answer.problem} value=${answer.problem}>${shownText(answer.answer)}</li>`)}</ol>`}
    ${round.changes.length > 0 && html`<details><summary>${t("round.changes", { count: round.changes.length })}</summary><${Changes} changes=${round.changes} id=${one.case} exhibits=${exhibits} /></details>`}
    ${round.pauses.map((pause) => html`<p key=${pause.starts_at} class="quiet">${t("round.paused")} <${Instant} at=${pause.starts_at} /> – <${Instant} at=${pause.ends_at} /></p>`)}
    ${round.opinion && html`<h3>${t("round.opinion", { number: round.opinion.number })} <${Badge} kind=${round.opinion.statement.conclusion === "approve" ? "ok" : "error"}>${known("conclusion", round.opinion.statement.conclusion)}</${Badge}></h3>
      <p class="quiet small"><${Instant} at=${round.opinion.at} /> <${Actor} actor=${round.opinion.by} me=${me} /></p>
      <table class="dense"><tbody>${round.opinion.statement.rows.map((row) => html`<tr key=${row.row}><td class="wide">${rowTitle(row.row)}</td><td><${Badge} kind=${VERDICTS[row.verdict]}>${known("verdict", row.verdict)}</${Badge}></td>
        <td class="wide">${shownText(row.note)}</td><td>${shownText(row.evidence.join(", "))}</td></tr>`)}</tbody></table>
      ${round.opinion.statement.problems.length > 0 && html`<ol>${round.opinion.statement.problems.map((problem) => html`<li key=${problem.problem}><strong>${rowTitle(problem.row)}</strong> ${shownText(problem.text)}</li>`)}</ol>`}`}
    ${round.disagreement && html`<p class="note">${t("round.disagreed")} ${shownText(round.disagreement.position)}</p>`}
    ${round.coordination && html`<p class="note">${t("round.settled")} ${known("outcome", round.coordination.outcome)} · ${shownText(round.coordination.reason)} · ${shownText(round.coordination.minutes)}</p>`}</section>`)}`;
}
