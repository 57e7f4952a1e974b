// The clips that answer a question, as a dense table or as pictures; chosen ones can be worked on together.

import { Component, html, useEffect, useMemo, useRef, useState } from "./vendor/preact-htm.js";
import { get } from "./api.js";
import { Bulk } from "./bulk.js";
import { addressOf, Card } from "./grid.js";
import { useLooks } from "./looks.js";
import { Badge, Failure, Instant, clockText, shownText } from "./parts.js";
import { Purpose, usePurpose } from "./purpose.js";
import { currentLanguage, known, t } from "./words.js";

const PAGE = 100;
const SHAPE = "shilu.results";
const COLUMNS = ["name", "recorded", "recorder", "officer", "remark", "cases", "state"];

export function Results({ q, me, words }) {
  const [pages, setPages] = useState(null);
  const [next, setNext] = useState(null);
  const [problem, setProblem] = useState(null);
  const [shape, setShape] = useState(localStorage.getItem(SHAPE) === "grid" ? "grid" : "table");
  const [purpose, setPurpose] = usePurpose();
  const [chosen, setChosen] = useState(0);
  const [marked, setMarked] = useState(new Map());
  const frame = useRef(null);
  const anchor = useRef(0);
  const hands = useRef({});
  const items = useMemo(() => (pages ?? []).flat(), [pages]);
  const [looks, again] = useLooks(pages ?? [], purpose, shape === "grid");

  async function read(cursor) {
    setProblem(null);
    try {
      const page = await get("/v1/clips", { q, limit: PAGE, cursor });
      setPages((before) => [...(cursor ? before : []), page.items]);
      setNext(page.next);
    } catch (error) {
      setProblem(error);
    }
  }
  useEffect(() => void read(null), [q]);

  function turnTo(name) {
    localStorage.setItem(SHAPE, name);
    setShape(name);
  }

  // Marks a row, or with `through` all from the one marked last up to it.
  function mark(row, on, through) {
    const [from, to] = through ? [Math.min(anchor.current, row), Math.max(anchor.current, row)] : [row, row];
    anchor.current = row;
    setMarked((before) => {
      const after = new Map(before);
      for (const item of items.slice(from, to + 1)) on ? after.set(item.clip, item) : after.delete(item.clip);
      return after;
    });
  }

  const all = items.length > 0 && items.every((item) => marked.has(item.clip));
  const markAll = (on) => setMarked(on ? new Map(items.map((item) => [item.clip, item])) : new Map());
  hands.current = { mark, focused: setChosen, stale: (row) => again(Math.floor(row / PAGE)) };

  function keys(event) {
    if (event.target.matches("input:not([type=checkbox]), select, textarea, button")) return;
    const wide = shape === "grid" ? acrossOf(frame.current) : 1;
    const step = { ArrowDown: wide, j: 1, ArrowUp: -wide, k: -1, J: 1, K: -1 }[event.key];
    const row = step && Math.min(items.length - 1, Math.max(0, chosen + step));
    if (step) {
      if (event.shiftKey) [chosen, row].forEach((one) => mark(one, true, one === row));
      setChosen(row);
      frame.current.querySelector(`[data-row="${row}"]`)?.focus();
    } else if (event.key === " ") {
      mark(chosen, event.shiftKey || !marked.has(items[chosen].clip), event.shiftKey);
    } else if (event.key === "a" && (event.ctrlKey || event.metaKey)) {
      markAll(true);
    } else if (event.key === "Escape") {
      markAll(false);
    } else if (event.key === "Enter" && event.target.tagName !== "A" && items[chosen]) {
      const at = frame.current.querySelector(`[data-row="${chosen}"]`)?.dataset.at || items[chosen].hits[0]?.at_ms;
      location.hash = addressOf(items[chosen].clip, at);
    } else {
      return;
    }
    event.preventDefault();
  }

  if (problem && !pages) return html`<section class="grow"><${Failure} problem=${problem} retry=${() => read(null)} /></section>`;
  if (!pages) return html`<section class="grow"><p class="quiet" role="status">${t("state.loading")}</p></section>`;
  if (!items.length) return html`<section class="grow"><p class="empty">${t("search.empty")}</p></section>`;
  const given = (item, row) => ({ item, row, tabbed: row === chosen, marked: marked.has(item.clip), hands, language: currentLanguage() });
  return html`<section class="grow results" onKeyDown=${keys}>
    <div class="row tools">
      <label><input type="checkbox" checked=${all} onClick=${(event) => markAll(event.currentTarget.checked)} /> ${t("bulk.all")}</label>
      <span class="grow quiet small">${t("bulk.keys")}</span>
      <div role="group" aria-label=${t("search.shape")}>${["table", "grid"].map((name) => html`<button type="button" key=${name}
        aria-pressed=${shape === name} onClick=${() => turnTo(name)}>${t(`search.${name}`)}</button>`)}</div>
    </div>
    ${marked.size > 0 && html`<${Bulk} marked=${marked} me=${me} words=${words} clear=${() => markAll(false)} />`}
    ${shape === "grid" && !purpose && html`<div class="note row"><${Purpose} words=${words} chosen=${purpose} onChoose=${setPurpose} /> <span>${t("grid.purpose")}</span></div>`}
    ${shape === "grid" && looks.map((look, page) => look?.problem && html`<${Failure} key=${page} problem=${look.problem} retry=${() => again(page)} />`)}
    <div ref=${frame}>${shape === "grid"
      ? html`<ul class="shots" aria-label=${t("search.title")}>${items.map((item, row) =>
          html`<${Card} key=${item.clip} ...${given(item, row)} look=${looks[Math.floor(row / PAGE)]} />`)}</ul>`
      : html`<table class="dense"><thead><tr>${COLUMNS.map((name) => html`<th scope="col">${t(`column.${name}`)}</th>`)}</tr></thead>
          <tbody>${items.map((item, row) => html`<${Row} key=${item.clip} ...${given(item, row)} />`)}</tbody></table>`}</div>
    ${problem && html`<${Failure} problem=${problem} retry=${() => read(next)} />`}
    <p class="quiet" role="status">${t("search.count", { count: items.length })}
      ${next && html` <button type="button" class="more" onClick=${() => read(next)}>${t("state.more")}</button>`}</p>
  </section>`;
}

// How many cards stand beside one another.
function acrossOf(frame) {
  const cards = [...frame.querySelectorAll("[data-row]")];
  const below = cards.findIndex((card) => card.offsetTop > cards[0].offsetTop);
  return below < 0 ? cards.length : below;
}

class Row extends Component {
  shouldComponentUpdate(next) {
    return ["item", "row", "tabbed", "marked", "language"].some((name) => next[name] !== this.props[name]);
  }

  render({ item, row, tabbed, marked, hands }) {
    return html`<tr class=${marked ? "marked" : ""} data-row=${row} tabindex=${tabbed ? 0 : -1} onFocus=${() => hands.current.focused(row)}
      onDblClick=${() => { location.hash = addressOf(item.clip); }}>
      <td><input type="checkbox" tabindex="-1" checked=${marked} aria-label=${t("bulk.pick", { name: shownText(item.name) })}
          onClick=${(event) => hands.current.mark(row, event.currentTarget.checked, event.shiftKey)} />
        <a href=${addressOf(item.clip)} tabindex="-1">${shownText(item.name)}</a>${item.key_mark && html` <${Badge} kind="key">${t("clip.key_mark")}</${Badge}>`}</td>
      <td><${Instant} at=${item.recorded_at} source=${t("column.recorder")} /></td>
      <td>${item.recorder ?? "—"}</td>
      <td>${item.officer ?? "—"}</td>
      <td class="wide">${shownText(item.remark ?? "")}${item.hits.map((hit) => html`<a class="hit" tabindex="-1" href=${addressOf(item.clip, hit.at_ms)}>
        ${hit.at_ms !== null && html`<code>${clockText(hit.at_ms).slice(0, -4)}</code> `}${shownText(hit.text)}</a>`)}</td>
      <td>${item.cases.join("、")}</td>
      <td><${Badge} kind=${item.state}>${known("state", item.state)}</${Badge}></td>
    </tr>`;
  }
}
