// The text as it was drafted with everything marked that the scan took for something about a person or a secret, and a
// person's decision about each: masked, kept for a reason, or none at all. What the scan missed can be masked by hand.

import { html } from "./vendor/preact-htm.js";
import { Choice, Field, Outcome, useAct } from "./acting.js";
import { useDraft } from "./drafts.js";
import { Badge } from "./parts.js";
import { currentLanguage, known, t } from "./words.js";

const VERDICTS = ["mask", "keep", "not_one"];
const place = (span) => `${span.field}.${span.start}.${span.end}`;

// Places are counted in characters, as the service does; a browser counts halves of some.
function pieces(text, spans) {
  const chars = [...text];
  const found = [];
  let at = 0;
  for (const span of [...spans].sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (span.start < at) continue;
    found.push({ text: chars.slice(at, span.start).join("") }, { text: chars.slice(span.start, span.end).join(""), span });
    at = span.end;
  }
  return [...found, { text: chars.slice(at).join("") }];
}

export function Findings({ one, form, me, changed }) {
  const draft = useDraft(`spans.${one.publication}.${one.version}`, me.staff, { said: {}, by_hand: [] });
  const doing = useAct(() => { draft.forget(); changed(); });
  const { said, by_hand: byHand } = draft.content;
  const judges = me.rights.includes("judge_publication") && one.state === "scanned";
  const verdictOf = (span) => said[place(span)]?.verdict ?? span.verdict ?? "";
  const titles = [...form.required, ...form.optional].filter(({ field }) => one.fields[field] !== undefined);
  const decisions = [
    ...one.spans.filter((span) => said[place(span)]?.verdict).map((span) => ({ field: span.field, start: span.start, end: span.end, verdict: said[place(span)].verdict, reason: said[place(span)].reason?.trim() ?? "" })),
    ...byHand.map((span) => ({ ...span, verdict: "mask", reason: "" })),
  ];
  const put = (span, part) => draft.put({ said: { ...said, [place(span)]: { ...said[place(span)], ...part } } });
  const send = (event) => { event.preventDefault(); void doing.post(`/v1/publications/${one.publication}/decisions`, { version: one.version, decisions }); };
  function maskSelected() {
    const span = selected();
    const days = titles.filter((title) => title.is_day).map(({ field }) => field);
    if (!span || days.includes(span.field) || [...one.spans, ...byHand].some((other) => other.field === span.field && span.start < other.end && other.start < span.end)) return;
    draft.put({ by_hand: [...byHand, span] });
  }
  const wordsOf = (span) => [...one.fields[span.field]].slice(span.start, span.end).join("");
  return html`<section class="sheet"><h2>${t("publicity.text")}</h2><dl class="texts">${titles.map((title) => html`<div key=${title.field}><dt>${title[currentLanguage()]}</dt>
      <${Text} field=${title.field} text=${one.fields[title.field]} spans=${[...one.spans, ...byHand.map((span) => ({ ...span, kind: "manual" }))].filter((span) => span.field === title.field)} verdictOf=${verdictOf} /></div>`)}</dl>
      ${judges && html`<p><button type="button" onClick=${maskSelected}>${t("publicity.mask_selected")}</button> <span class="quiet small">${t("publicity.by_hand")}</span></p>`}</section>
    <section class="sheet findings"><h2>${t("publicity.findings")}</h2>
    ${!one.spans.length && html`<p class="quiet">${t("publicity.nothing_found")}</p>`}
    <form onSubmit=${send}>${one.spans.map((span) => html`<fieldset class="finding" key=${place(span)} disabled=${!judges}>
        <p id=${`span-${place(span)}`}><${Badge} kind=${span.decided ? "ok" : "error"}>${t(span.decided ? "publicity.decided" : "publicity.open")}</${Badge}> <${Badge}>${known("span", span.kind)}</${Badge}> <mark>${wordsOf(span)}</mark>${" "}
          <span class="quiet small">${titles.find(({ field }) => field === span.field)?.[currentLanguage()]} · ${known("certainty", span.certainty)}</span></p>
        <${Choice} label=${t("publicity.verdict")} name=${`verdict-${place(span)}`} value=${verdictOf(span)} empty="" options=${VERDICTS.map((name) => [name, known("spanned", name)])} onPut=${(verdict) => put(span, { verdict })} />
        ${verdictOf(span) !== "mask" && html`<${Field} label=${t("publicity.keep_reason")} name=${`reason-${place(span)}`} required=${verdictOf(span) === "keep"} value=${said[place(span)]?.reason ?? span.reason} onPut=${(reason) => put(span, { verdict: verdictOf(span), reason })} />`}</fieldset>`)}
      ${byHand.map((span, number) => html`<p key=${place(span)}><${Badge}>${t("span.manual")}</${Badge}> <mark>${wordsOf(span)}</mark>
        <button type="button" class="plain" aria-label=${t("annotation.remove")} onClick=${() => draft.put({ by_hand: byHand.filter((_, index) => index !== number) })}>×</button></p>`)}
      ${judges && html`<p><button class="primary" disabled=${doing.busy || !decisions.length}>${t("publicity.decide")}</button></p>`}
      <${Outcome} doing=${doing} /></form></section>`;
}

// Marks carry their verdict in words too: colour alone says nothing to some, and nothing to a reader of screens.
const Text = ({ field, text, spans, verdictOf }) => html`<dd class="text" data-field=${field}>${pieces(text, spans).map(({ text: part, span }, number) => (span
  ? html`<mark key=${number} class=${verdictOf(span) || "open"} title=${`${known("span", span.kind)}${verdictOf(span) ? ` · ${known("spanned", verdictOf(span))}` : ""}`}>${part}</mark>`
  : html`<span key=${number}>${part}</span>`))}</dd>`;

// What somebody selected in one field's text, as a place in it; null where nothing is selected, or in more than one field.
function selected() {
  const chosen = getSelection();
  const boxOf = (node) => (node?.nodeType === Node.TEXT_NODE ? node.parentElement : node)?.closest?.("[data-field]");
  const box = boxOf(chosen.anchorNode);
  if (!box || chosen.isCollapsed || boxOf(chosen.focusNode) !== box) return null;
  const range = chosen.getRangeAt(0), before = document.createRange();
  before.setStart(box, 0);
  before.setEnd(range.startContainer, range.startOffset);
  const start = [...before.toString()].length;
  return { field: box.dataset.field, start, end: start + [...range.toString()].length };
}
