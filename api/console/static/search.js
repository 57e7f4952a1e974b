// Finding clips: one question in the query language, what it divides into, and a dense table.

import { html, useEffect, useRef, useState } from "./vendor/preact-htm.js";
import { call, get, onceKey } from "./api.js";
import { Badge, Failure, Instant, Stated, clockText, shownText, useAsked } from "./parts.js";
import { known, t } from "./words.js";

const PAGE = 100;
const quoted = (value) => (/^[^\s:"()]+$/u.test(value) ? value : `"${value.replaceAll('"', '\\"')}"`);
const open = (clip, at) => { location.hash = `#/clips/${clip}${at ? `?at=${at}` : ""}`; };

export function SearchView({ query }) {
  const q = query.get("q") ?? "";
  const [typed, setTyped] = useState(q);
  const field = useRef(null);
  useEffect(() => setTyped(q), [q]);
  useEffect(() => {
    const focus = (event) => {
      if (event.key !== "/" || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
      event.preventDefault();
      field.current.focus();
    };
    addEventListener("keydown", focus);
    return () => removeEventListener("keydown", focus);
  }, []);
  const ask = (next) => { location.hash = next ? `#/search?${new URLSearchParams({ q: next })}` : "#/search"; };
  return html`<div class="search">
    <h1 class="unseen">${t("search.title")}</h1>
    <form class="question" role="search" onSubmit=${(event) => { event.preventDefault(); ask(typed.trim()); }}>
      <input ref=${field} type="search" aria-label=${t("search.label")} aria-describedby="hint" spellcheck=${false} autocomplete="off"
        value=${typed} onInput=${(event) => setTyped(event.target.value)} />
      <button class="primary">${t("search.button")}</button>
    </form>
    <p id="hint" class="quiet small">${t("search.hint")}</p>
    <div class="columns">
      <aside><${Saved} q=${q} ask=${ask} /><${Facets} q=${q} ask=${ask} /></aside>
      <${Results} key=${q} q=${q} />
    </div>
  </div>`;
}

function Results({ q }) {
  const [items, setItems] = useState(null);
  const [next, setNext] = useState(null);
  const [problem, setProblem] = useState(null);
  const [chosen, setChosen] = useState(0);
  const table = useRef(null);

  async function read(cursor) {
    setProblem(null);
    try {
      const page = await get("/v1/clips", { q, limit: PAGE, cursor });
      setItems((before) => [...(cursor ? before : []), ...page.items]);
      setNext(page.next);
    } catch (error) {
      setProblem(error);
    }
  }
  useEffect(() => void read(null), [q]);

  function keys(event) {
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    if (step) {
      event.preventDefault();
      const row = Math.min(items.length - 1, Math.max(0, chosen + step));
      setChosen(row);
      table.current.querySelectorAll("tbody tr")[row]?.focus();
    }
    if (event.key === "Enter" && items[chosen]) open(items[chosen].clip, items[chosen].hits[0]?.at_ms);
  }

  if (problem && !items) return html`<section class="grow"><${Failure} problem=${problem} retry=${() => read(null)} /></section>`;
  if (!items) return html`<section class="grow"><p class="quiet" role="status">${t("state.loading")}</p></section>`;
  if (!items.length) return html`<section class="grow"><p class="empty">${t("search.empty")}</p></section>`;
  const columns = ["name", "recorded", "recorder", "officer", "remark", "cases", "state"];
  return html`<section class="grow">
    <table class="dense" ref=${table} onKeyDown=${keys}>
      <thead><tr>${columns.map((name) => html`<th scope="col">${t(`column.${name}`)}</th>`)}</tr></thead>
      <tbody>${items.map((item, row) => html`<${Row} key=${item.clip} item=${item} tabbed=${row === chosen} onFocus=${() => setChosen(row)} />`)}</tbody>
    </table>
    ${problem && html`<${Failure} problem=${problem} retry=${() => read(next)} />`}
    <p class="quiet" role="status">${t("search.count", { count: items.length })}
      ${next && html` <button type="button" onClick=${() => read(next)}>${t("state.more")}</button>`}</p>
  </section>`;
}

function Row({ item, tabbed, onFocus }) {
  return html`<tr tabindex=${tabbed ? 0 : -1} onFocus=${onFocus} onDblClick=${() => open(item.clip)}>
    <td><a href=${`#/clips/${item.clip}`} tabindex="-1">${shownText(item.name)}</a>${item.key_mark && html` <${Badge} kind="key">${t("clip.key_mark")}</${Badge}>`}</td>
    <td><${Instant} at=${item.recorded_at} source=${t("column.recorder")} /></td>
    <td>${item.recorder ?? "—"}</td>
    <td>${item.officer ?? "—"}</td>
    <td class="wide">${shownText(item.remark ?? "")}${item.hits.map((hit) => html`<a class="hit" tabindex="-1"
      href=${`#/clips/${item.clip}${hit.at_ms === null ? "" : `?at=${hit.at_ms}`}`}>
      ${hit.at_ms !== null && html`<code>${clockText(hit.at_ms).slice(0, -4)}</code> `}${shownText(hit.text)}</a>`)}</td>
    <td>${item.cases.join("、")}</td>
    <td><${Badge} kind=${item.state}>${known("state", item.state)}</${Badge}></td>
  </tr>`;
}

function Facets({ q, ask }) {
  const asked = useAsked((signal) => get("/v1/search/facets", { q }, signal), [q]);
  return html`<section aria-label=${t("search.facets")}>
    <h2>${t("search.facets")}</h2>
    <${Stated} asked=${asked}>${(found) => html`
      ${found.more && html`<p class="quiet small">${t("search.facets_more", { count: found.clips })}</p>`}
      ${found.facets.filter((facet) => facet.values.length).map((facet) => html`<details open key=${facet.field}>
        <summary>${known("field", facet.field)}</summary>
        <ul class="facet">${facet.values.slice(0, 8).map(({ value, clips }) => html`<li key=${value}>
          <button type="button" class="plain" onClick=${() => ask(`${q} ${facet.field}:${quoted(value)}`.trim())}>
            <span class="grow">${facet.field === "state" ? known("state", value) : shownText(value)}</span> <span class="quiet">${clips}</span></button></li>`)}</ul>
      </details>`)}`}</${Stated}>
  </section>`;
}

function Saved({ q, ask }) {
  const asked = useAsked((signal) => get("/v1/searches", {}, signal), []);
  const [name, setName] = useState("");
  const [problem, setProblem] = useState(null);
  async function keep(event) {
    event.preventDefault();
    try {
      await call("POST", "/v1/searches", { body: { name, q }, headers: { "Idempotency-Key": onceKey() } });
      setName("");
      setProblem(null);
      asked.retry();
    } catch (error) {
      setProblem(error);
    }
  }
  return html`<section aria-label=${t("search.saved")}>
    <h2>${t("search.saved")}</h2>
    <${Stated} asked=${asked}>${({ items }) => html`<ul class="facet">${items.map((item) => html`<li key=${item.search}>
      <button type="button" class="plain" title=${item.q} onClick=${() => ask(item.q)}>${item.name}</button></li>`)}</ul>`}</${Stated}>
    ${q && html`<form class="row" onSubmit=${keep}>
      <input aria-label=${t("search.save_name")} placeholder=${t("search.save_name")} required value=${name} onInput=${(e) => setName(e.target.value)} />
      <button>${t("search.save")}</button></form>`}
    ${problem && html`<${Failure} problem=${problem} />`}
  </section>`;
}
