// Cases: the list, and putting a clip into one.

import { html, useState } from "./vendor/preact-htm.js";
import { call, get, onceKey } from "./api.js";
import { CaseOpening } from "./case_opening.js";
import { Badge, Failure, Instant, Stated, shownText, useAsked } from "./parts.js";
import { t } from "./words.js";

export function Cases({ me }) {
  const asked = useAsked((signal) => get("/v1/cases", { limit: 200 }, signal), []);
  return html`<h1>${t("cases.title")}</h1>${me.rights.includes("open_case") && html`<${CaseOpening} me=${me} />`}<${Stated} asked=${asked}>${({ items }) => items.length
    ? html`<table class="dense"><thead><tr><th scope="col">${t("cases.number")}</th><th scope="col">${t("cases.name")}</th>
        <th scope="col">${t("cases.exhibits")}</th><th scope="col">${t("cases.opened")}</th><th scope="col">${t("column.state")}</th></tr></thead>
      <tbody>${items.map((item) => html`<tr key=${item.case}><td><a href=${`#/cases/${item.case}`}>${shownText(item.number)}</a></td><td class="wide">${shownText(item.title)}</td>
        <td>${item.exhibits}</td><td><${Instant} at=${item.opened_at} /></td><td><${Badge}>${t(`case.${item.state}`)}</${Badge}></td></tr>`)}</tbody></table>`
    : html`<p class="empty">${t("cases.none")}</p>`}</${Stated}>`;
}

export function LinkToCase({ detail, onLinked }) {
  const asked = useAsked((signal) => get("/v1/cases", { limit: 200 }, signal), []);
  const [chosen, setChosen] = useState("");
  const [state, setState] = useState({});
  async function link(event) {
    event.preventDefault();
    setState({ busy: true });
    try {
      const { data } = await call("POST", `/v1/cases/${chosen}/clips`, { body: { clip: detail.clip }, headers: { "Idempotency-Key": onceKey() } });
      setState({ number: data.exhibit });
      onLinked();
    } catch (problem) {
      setState({ problem });
    }
  }
  return html`<ul class="plain">${detail.cases.map((one) => html`<li key=${one.entry}><a href=${`#/cases/${one.case}`}>${one.number}-${one.exhibit}</a> ${shownText(one.title)}</li>`)}</ul>
    <${Stated} asked=${asked}>${({ items }) => html`<form class="row" onSubmit=${link}>
      <select aria-label=${t("cases.choose")} required value=${chosen} onChange=${(event) => setChosen(event.target.value)}>
        <option value="">${t("cases.choose")}</option>
        ${items.filter((item) => item.state !== "archived").map((item) => html`<option key=${item.case} value=${item.case}>${shownText(`${item.number} ${item.title}`)}</option>`)}</select>
      <button class="primary" disabled=${state.busy || !chosen}>${t("cases.link")}</button></form>`}</${Stated}>
    ${state.number && html`<p class="verdict ok" role="status">${t("cases.linked", { number: state.number })}</p>`}
    ${state.problem && html`<${Failure} problem=${state.problem} />`}`;
}
