// Docks and their slots as they stand now.

import { html } from "./vendor/preact-htm.js";
import { Fresh, agoText } from "./live.js";
import { Badge, bytesText, shownText } from "./parts.js";
import { known, t } from "./words.js";

const KIND = { silent: "error", heard: "ok" };
const ORDER = ["silent", "heard", "never_heard", "revoked"];
const inTrouble = (dock) => (dock.said?.slots ?? []).some((slot) => slot.phase === "trouble");

// Those that need a person first, then by name.
export function inOrder(docks) {
  const rank = (dock) => ORDER.indexOf(dock.state) - (dock.state === "heard" && inTrouble(dock) ? 0.5 : 0);
  return [...docks].sort((one, other) => rank(one) - rank(other) || one.name.localeCompare(other.name));
}

export function Docks({ docks }) {
  return html`<${Fresh} asked=${docks}>${({ items, next }) => html`
    <p class="quiet small" role="status">${t(`live.${docks.mode}`)}</p>
    ${items.length ? html`<div class=${`docks ${docks.mode}`}>${inOrder(items).map((dock) => html`<${Dock} key=${dock.dock} dock=${dock} />`)}</div>`
      : html`<p class="empty">${t("ops.no_docks")}</p>`}
    ${next && html`<p class="note">${t("ops.more")}</p>`}`}</${Fresh}>`;
}

function Dock({ dock }) {
  const said = dock.said;
  const files = Object.entries(said?.journal ?? {}).filter(([state]) => state !== "cleared").reduce((sum, [, count]) => sum + count, 0);
  const off = Math.abs(said?.clock?.offset_ms ?? 0) / 1000;
  return html`<article class=${`dock ${dock.state}`}>
    <h3>${shownText(dock.name)} <${Badge} kind=${KIND[dock.state]}>${t(`dock.${dock.state}`)}</${Badge}></h3>
    <p class="quiet small">${dock.heard_at ? html`<time datetime=${dock.heard_at} title=${dock.heard_at}>${t("dock.heard_at", { ago: agoText(dock.heard_at) })}</time>` : t("dock.unheard")}
      ${said && ` · ${t("dock.free", { size: bytesText(said.disk_free_bytes) })}`}
      ${files > 0 && ` · ${t("dock.files", { count: files })}`}
      ${off >= 60 && html` · <span class="warn">${t("dock.clock_off", { seconds: Math.round(off) })}</span>`}</p>
    ${said && (said.slots.length ? html`<ul class="slots">${said.slots.map((slot) => html`<${Slot} key=${slot.name} slot=${slot} old=${dock.state !== "heard"} />`)}</ul>`
      : html`<p class="quiet small">${t("dock.no_slots")}</p>`)}
  </article>`;
}

// A lamp is a shape and a word as well as a colour.
function Slot({ slot, old }) {
  const lamp = slot.phase === "trouble" ? "trouble" : slot.safe ? "safe" : slot.recorder ? "busy" : "none";
  return html`<li class=${`slot ${old ? "old" : lamp}`}>
    <span class="lamp" aria-hidden="true">${{ trouble: "!", safe: "✓", busy: "…", none: "–" }[lamp]}</span>
    <span><b>${shownText(slot.name)}</b> ${slot.recorder ? shownText(slot.recorder) : ""}<br />
      <span class="quiet small">${slot.safe ? t("slot.safe") : shownText(known("phase", slot.phase))}</span></span></li>`;
}
