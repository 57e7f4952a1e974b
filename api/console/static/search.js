// Finding clips: one question in the query language, what it divides into, questions that are kept, and what answers.

import { html, useEffect, useRef, useState } from "./vendor/preact-htm.js";
import { call, get, onceKey } from "./api.js";
import { Failure, Stated, quoted, shownText, useAsked } from "./parts.js";
import { Results } from "./results.js";
import { known, learn, t, titled } from "./words.js";
import { WORDS } from "./words/search.js";

learn(WORDS);

export function SearchView({ query, me, words }) {
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
      <aside><${Saved} q=${q} ask=${ask} /><${Facets} q=${q} ask=${ask} words=${words} /></aside>
      <${Results} key=${q} q=${q} me=${me} words=${words} />
    </div>
  </div>`;
}

// What a value is called; one that the house or its agency made up stands as it is.
function calledIn(field, value, words) {
  if (field === "state") return known("state", value);
  if (field === "missing") return known("field", titled(words.markers, value));
  if (field === "marker") return titled(words.markers, value);
  if (field === "speaker") return titled(words.speakers, value);
  const term = `${field}.${value}`, said = known("value", term);
  return said === term ? shownText(value) : said;
}

function Facets({ q, ask, words }) {
  const asked = useAsked((signal) => get("/v1/search/facets", { q }, signal), [q]);
  return html`<section aria-label=${t("search.facets")}>
    <h2>${t("search.facets")}</h2>
    <${Stated} asked=${asked}>${(found) => html`
      ${found.more && html`<p class="quiet small">${t("search.facets_more", { count: found.clips })}</p>`}
      ${found.facets.filter((facet) => facet.values.length).map((facet) => html`<details open key=${facet.field}>
        <summary>${known("field", facet.field)}</summary>
        <ul class="facet">${facet.values.slice(0, 8).map(({ value, clips }) => html`<li key=${value}>
          <button type="button" class="plain" onClick=${() => ask(`${q} ${facet.field}:${quoted(value)}`.trim())}>
            <span class="grow">${calledIn(facet.field, value, words)}</span> <span class="quiet">${clips}</span></button></li>`)}</ul>
      </details>`)}`}</${Stated}>
  </section>`;
}

function Saved({ q, ask }) {
  const asked = useAsked((signal) => get("/v1/searches", { limit: 200 }, signal), []);
  const [name, setName] = useState("");
  const [problem, setProblem] = useState(null);
  const [told, setTold] = useState(null);

  async function tried(work) {
    try {
      await work();
      setProblem(null);
    } catch (error) {
      setProblem(error);
    }
  }

  function keep(event) {
    event.preventDefault();
    void tried(async () => {
      await call("POST", "/v1/searches", { body: { name, q }, headers: { "Idempotency-Key": onceKey() } });
      setName("");
      asked.retry();
    });
  }

  const run = (item) => tried(async () => {
    ask(item.q);
    const { data } = await call("POST", `/v1/searches/${item.search}/runs`, { body: {}, headers: { "Idempotency-Key": onceKey() } });
    setTold({ search: item.search, new: data.more ? `${data.new}+` : data.new });
  });
  const remove = (item) => tried(async () => {
    await call("DELETE", `/v1/searches/${item.search}`);
    asked.retry();
  });
  return html`<section aria-label=${t("search.saved")}>
    <h2>${t("search.saved")}</h2>
    <${Stated} asked=${asked}>${({ items }) => html`<ul class="facet saved">${items.map((item) => html`<li key=${item.search}><div class="row">
      <button type="button" class="plain" title=${item.q} aria-label=${t("search.run", { name: item.name })} onClick=${() => void run(item)}><span class="grow">${item.name}</span></button>
      ${item.own ? html`<button type="button" class="plain" aria-label=${t("search.remove", { name: item.name })} onClick=${() => void remove(item)}>×</button>`
        : html`<span class="quiet small">${t("search.shared")}</span>`}</div>
      ${told?.search === item.search && html`<p class="quiet small" role="status">${t("search.new", { count: told.new })}</p>`}</li>`)}</ul>`}</${Stated}>
    ${q && html`<form class="row" onSubmit=${keep}>
      <input aria-label=${t("search.save_name")} placeholder=${t("search.save_name")} required value=${name} onInput=${(e) => setName(e.target.value)} />
      <button>${t("search.save")}</button></form>`}
    ${problem && html`<${Failure} problem=${problem} />`}
  </section>`;
}
