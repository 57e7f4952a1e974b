// Results as pictures. A card shows a still; moving over it, or the arrow keys while it has the focus, turns through its
// storyboard, and opening it begins at the second that is seen.

import { Component, html, useEffect, useRef, useState } from "./vendor/preact-htm.js";
import { boardAt } from "./looks.js";
import { Badge, Instant, clockText, shownText } from "./parts.js";
import { known, t } from "./words.js";

const ICONS = {
  reviewable: "M4 5h16v14H4zM10 9l5 3-5 3z",
  still: "M4 5h16v14H4zM4 16l5-5 4 4 2-2 5 5",
  audio: "M4 10v4h4l5 4V6L8 10zM16 9q3 3 0 6",
  sealed: "M6 11h12v9H6zM8 11V8a4 4 0 0 1 8 0v3",
  undecodable: "M4 5h16v14H4zM9 9l6 6M15 9l-6 6",
};

export const addressOf = (clip, at) => `#/clips/${clip}${at ? `?at=${at}` : ""}`;

// A thousand cards stand on a page: one is drawn anew only where something of its own has changed. `hands` is a reference.
export class Card extends Component {
  shouldComponentUpdate(next) {
    return ["item", "row", "tabbed", "look", "marked", "language"].some((name) => next[name] !== this.props[name]);
  }

  render(given) {
    return html`<${Shot} ...${given} />`;
  }
}

function Shot({ item, row, tabbed, look, marked, hands }) {
  const [board, setBoard] = useState(null);
  const [place, setPlace] = useState(null);
  const [failed, setFailed] = useState(false);
  const alive = useRef(true);
  const base = look?.url && `${look.url}/${item.clip}`;
  const kinds = look?.kinds?.get(item.clip) ?? new Set();
  useEffect(() => () => { alive.current = false; }, []);
  useEffect(() => { setFailed(false); setBoard(null); setPlace(null); }, [base]);

  async function turn(to) {
    if (!kinds.has("storyboard")) return;
    try {
      const found = board ?? await boardAt(base);
      if (!alive.current || !found.tiles.length) return;
      setBoard(found);
      setPlace((before) => Math.min(found.tiles.length - 1, Math.max(0, to(found.tiles.length, before ?? -1))));
    } catch {
      lost();
    }
  }

  // A picture that does not come: the address is used up, or there is none; the still's icon stands for it.
  function lost() {
    if (look.until <= Date.now()) hands.current.stale(row);
    else setFailed(true);
  }

  function over(event) {
    const box = event.currentTarget.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    void turn((count) => Math.floor(share * count));
  }

  function keys(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || event.target !== event.currentTarget) return;
    event.preventDefault();
    void turn((_, before) => before + step);
  }

  const tile = board && place !== null ? board.tiles[place] : null;
  const at = tile ? tile.from : item.hits[0]?.at_ms;
  return html`<li class=${marked ? "shot marked" : "shot"} data-row=${row} data-at=${at ?? ""} tabindex=${tabbed ? 0 : -1} onFocus=${() => hands.current.focused(row)} onKeyDown=${keys}>
    <a class="picture" tabindex="-1" href=${addressOf(item.clip, at)} aria-label=${shownText(item.name)} onPointerMove=${over} onPointerLeave=${() => setPlace(null)}>
      ${tile ? html`<svg viewBox=${`${tile.x} ${tile.y} ${tile.width} ${tile.height}`} preserveAspectRatio="xMidYMid meet" aria-hidden="true">
          <image href=${board.sheet} width=${board.width} height=${board.height} /></svg>`
        : kinds.has("poster") && !failed ? html`<img src=${`${base}/poster`} alt="" loading="lazy" decoding="async" draggable=${false} onError=${lost} />`
        : html`<svg class="icon" viewBox="0 0 24 24" role="img" aria-label=${known("state", item.state)}><path d=${ICONS[item.state] ?? ICONS.sealed} /></svg>`}
      ${tile && html`<output class="clock">${clockText(tile.from).slice(0, -4)}</output>`}
    </a>
    <label class="pick"><input type="checkbox" tabindex="-1" checked=${marked} aria-label=${t("bulk.pick", { name: shownText(item.name) })}
      onClick=${(event) => hands.current.mark(row, event.currentTarget.checked, event.shiftKey)} /></label>
    <div class="told"><a tabindex="-1" href=${addressOf(item.clip)}>${shownText(item.name)}</a>
      <span class="small quiet"><${Instant} at=${item.recorded_at} source=${t("column.recorder")} /> ${item.recorder ?? ""}</span>
      <span class="small">${item.key_mark && html`<${Badge} kind="key">${t("clip.key_mark")}</${Badge}> `}${shownText(item.remark ?? "")}</span>
      ${item.hits.slice(0, 1).map((hit) => html`<a class="hit small" tabindex="-1" href=${addressOf(item.clip, hit.at_ms)}>
        ${hit.at_ms !== null && html`<code>${clockText(hit.at_ms).slice(0, -4)}</code> `}${shownText(hit.text)}</a>`)}</div>
  </li>`;
}
