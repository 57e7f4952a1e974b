// What an evidence set is and how it changed, for the case page and the review.

import { html } from "./vendor/preact-htm.js";
import { Badge } from "./parts.js";
import { known, t } from "./words.js";

// The service states reasons by code, with an English sentence: where this page has words for the code, it says them.
const WORDS_OF = {
  reason: (code) => known("reason", code),
  obstacle: (code) => known("obstacle", code),
};

export function meant(kind, one) {
  const word = WORDS_OF[kind](one.code);
  return word === one.code ? one.means ?? one.code : word;
}

// A reason and what it is about: every field beside its code and its meaning, exhibits and clips as links.
export function Meant({ kind, one }) {
  const { code, means: _, clip, document, ...about } = one;
  const named = Object.entries(about).filter(([name, value]) => ["string", "number"].includes(typeof value) && String(value).length < 60
    && !(name in { item: 1, material: 1 } && about.title));
  const file = clip ?? document;
  return html`<span title=${code}>${meant(kind, one)}${named.map(([name, value]) => html` <span key=${name} class="about">${name === "title" ? `“${value}”` : `${known("about", name)} ${value}`}</span>`)}
    ${file && html` <a href=${`#/clips/${file}`}>${t("file.open")}</a>`}</span>`;
}

export const Reasons = ({ kind, reasons }) =>
  html`<ul class="reasons">${reasons.map((one, place) => html`<li key=${place}><${Meant} kind=${kind} one=${one} /></li>`)}</ul>`;

export const AgainstSubmission = ({ reasons }) =>
  reasons.length > 0 && html`<h3>${t("review.against")}</h3><${Reasons} kind="reason" reasons=${reasons} />`;

const SIGNS = { added: ["+", "ok"], removed: ["−", "error"], changed: ["≠", "notice"], reordered: ["↕", ""] };

// Differences of two sets. Exhibits are known by their numbers, so a list of them tells which clip is meant.
export function Changes({ changes, id, exhibits }) {
  if (!changes.length) return html`<p class="quiet">${t("change.none")}</p>`;
  const place = (one) => {
    const clip = one.what === "documents" ? one.key.split("#")[0] : exhibits.find((exhibit) => String(exhibit.exhibit) === one.key)?.clip;
    return ["exhibits", "documents"].includes(one.what) && clip ? `#/clips/${clip}` : `#/cases/${id}`;
  };
  const short = (one) => (one.key.length === 36 ? `…${one.key.slice(-6)}` : one.key);
  return html`<ul class="plain changes">${changes.map((one) => html`<li key=${`${one.what}${one.key}`}>
    <${Badge} kind=${SIGNS[one.change]?.[1]}>${SIGNS[one.change]?.[0]} ${known("change", one.change)}</${Badge}>
    ${" "}<a href=${place(one)} title=${one.key}>${known("what", one.what)} ${short(one)}</a>
    ${one.fields && html` <span class="quiet small">${one.fields.map((field) => known("part", field)).join("、")}</span>`}</li>`)}</ul>`;
}
