// The registers: officers, units, recorders, docks; lists that can be searched, and lists that are brought in.

import { html, useState } from "./vendor/preact-htm.js";
import { sendFile } from "./api.js";
import { every } from "./live.js";
import { Badge, Failure, Instant, Stated, shownText, useAsked } from "./parts.js";
import { learn, t } from "./words.js";
import { WORDS } from "./words/registers.js";

learn(WORDS);

const SHOWN_MAX = 500;
const text = (value) => (value ? shownText(String(value)) : "—");
const validity = (one) => (one.valid_from || one.valid_until ? `${one.valid_from ?? ""} – ${one.valid_until ?? ""}` : "—");

// What a list is: where it is read, its columns, and whether it can be brought in.
const LISTS = {
  officers: { path: "/v1/officers", key: "officer", columns: { number: text, name: text, unit: text, duty: text, certificate: text, valid: (_, one) => validity(one) }, imports: true },
  units: { path: "/v1/units", key: "unit", columns: { name: text, code: text, valid: (_, one) => validity(one) }, imports: true },
  recorders: { path: "/v1/recorders/registrations", key: "recorder", columns: { recorder: text, kind: (value) => t(`kind.${value}`), state: (value) => t(`use.${value}`), serial: text, model: text }, imports: true },
  docks: { path: "/v1/docks", key: "dock", columns: { name: text, state: (value) => t(`standing.${value}`), heard_at: (value) => html`<${Instant} at=${value} />`, enrolled_at: (value) => html`<${Instant} at=${value} />` }, roles: ["administrator", "auditor"] },
};

export function Page({ where, me }) {
  const may = Object.keys(LISTS).filter((name) => !LISTS[name].roles || LISTS[name].roles.includes(me.role));
  const name = may.includes(where.id) ? where.id : "officers";
  return html`<article class="registers"><h1>${t("registers.title")}</h1>
    <nav class="row choices" aria-label=${t("registers.title")}>${may.map((one) => html`<a class="choice" href=${`#/registers/${one}`} aria-current=${one === name ? "true" : undefined}>${t(`register.${one}`)}</a>`)}</nav>
    <${Register} key=${name} name=${name} me=${me} /></article>`;
}

function Register({ name, me }) {
  const list = LISTS[name];
  const [wanted, setWanted] = useState("");
  const asked = useAsked((signal) => every(list.path, {}, signal, 10), []);
  const finds = (one) => Object.keys(list.columns).some((key) => String(one[key] ?? "").toLowerCase().includes(wanted.toLowerCase()));
  return html`<form class="row" role="search" onSubmit=${(event) => event.preventDefault()}>
      <input type="search" aria-label=${t("registers.find")} placeholder=${t("registers.find")} value=${wanted} onInput=${(event) => setWanted(event.target.value)} /></form>
    <${Stated} asked=${asked}>${({ items, more }) => {
      const found = items.filter(finds);
      return html`<p class="quiet small" role="status">${t("registers.count", { count: found.length, all: items.length })}</p>
        ${found.length === 0 ? html`<p class="empty">${t("state.none")}</p>`
          : name === "units" && !wanted ? html`<${Tree} units=${items} />` : html`<${Table} list=${list} items=${found.slice(0, SHOWN_MAX)} />`}
        ${(more || found.length > SHOWN_MAX) && html`<p class="note">${t("registers.more")}</p>`}`;
    }}</${Stated}>
    ${list.imports && me.role === "administrator" && html`<${Import} name=${name} onApplied=${asked.retry} />`}`;
}

function Table({ list, items }) {
  const columns = Object.entries(list.columns);
  return html`<div class="scroll"><table class="dense"><thead><tr>${columns.map(([key]) => html`<th scope="col">${t(`head.${key}`)}</th>`)}</tr></thead>
    <tbody>${items.map((one) => html`<tr key=${one[list.key]}>${columns.map(([key, show]) => html`<td>${show(one[key], one)}</td>`)}</tr>`)}</tbody></table></div>`;
}

// A unit whose unit above is not among them stands at the top; a circle, which the service refuses, would end here.
function Tree({ units }) {
  const known = new Set(units.map((one) => one.unit));
  const below = (parent) => units.filter((one) => (known.has(one.parent) ? one.parent : null) === parent).sort((one, other) => one.name.localeCompare(other.name));
  const branch = (parent, depth) => {
    const here = depth > 20 ? [] : below(parent);
    return here.length > 0 && html`<ul class="tree">${here.map((one) => html`<li key=${one.unit}>${text(one.name)} <span class="quiet small">${one.code ?? ""} ${one.valid_until ? `– ${one.valid_until}` : ""}</span>${branch(one.unit, depth + 1)}</li>`)}</ul>`;
  };
  return html`<div class="card part">${branch(null, 0)}</div>`;
}

function Import({ name, onApplied }) {
  const [file, setFile] = useState(null);
  const [state, setState] = useState({});
  async function run(chosen, apply) {
    setFile(chosen);
    setState({ busy: true });
    try {
      const report = await sendFile(`/v1/registers/${name}/imports`, chosen, { name: chosen.name, apply });
      setState({ report });
      if (report.applied) onApplied();
    } catch (problem) {
      setState({ problem });
    }
  }
  const report = state.report;
  return html`<section class="card part"><h2>${t("import.title")}</h2><p>${t("import.about")} <a href=${`/v1/registers/${name}/template`} download=${`${name}.csv`}>${t("import.template")}</a></p>
    <input type="file" accept=".csv,.xlsx" aria-label=${t("import.choose")} onChange=${(event) => event.target.files[0] && run(event.target.files[0], false)} />
    ${state.busy && html`<p role="status"><progress></progress>${t("state.loading")}</p>`}
    ${state.problem && html`<${Failure} problem=${state.problem} />`}
    ${report && html`<p class=${report.bad.length ? "note" : "verdict ok"} role="status">${shownText(report.name)} · ${t(report.applied ? "import.applied" : "import.checked", { rows: report.rows, changed: report.changed, bad: report.bad.length })}</p>
      ${report.bad.length > 0 && html`<div class="scroll"><table class="dense"><thead><tr>${["row", "column", "value", "message"].map((key) => html`<th scope="col">${t(`import.${key}`)}</th>`)}</tr></thead>
        <tbody>${report.bad.slice(0, SHOWN_MAX).map((one) => html`<tr key=${`${one.row}.${one.column}`}><td>${one.row}</td><td>${text(one.column)}</td><td>${text(one.value)}</td>
          <td>${text(one.message)} <${Badge}>${one.code}</${Badge}></td></tr>`)}</tbody></table></div>`}
      ${!report.applied && !report.bad.length && report.changed > 0 && html`<button type="button" class="primary" onClick=${() => run(file, true)}>${t("import.apply", { changed: report.changed })}</button>`}`}
  </section>`;
}
