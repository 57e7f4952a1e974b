// Links by which somebody outside, such as counsel, watches this clip: a copy made for them with their name in every
// picture. The address is shown once, when the link is made; the list below says what became of each.

import { html, useEffect, useRef, useState } from "./vendor/preact-htm.js";
import { call, get } from "./api.js";
import { Choice, Field, Outcome, useAct } from "./acting.js";
import { millisecondsOf } from "./enclosing.js";
import { Badge, Instant, Stated, clockText, shownText, useAsked } from "./parts.js";
import { Person } from "./people.js";
import { Purpose, usePurpose } from "./purpose.js";
import { t } from "./words.js";

const UNDER_WAY = ["waiting", "running"];
const DAYS = [1, 3, 7, 30];
const DAY_MS = 86_400_000;
const EMPTY = { recipient: "", days: "3", uses: "1", rendition: "proxy", from: "", to: "" };

export function Sharing({ detail, me, words }) {
  const asked = useAsked((signal) => get(`/v1/clips/${detail.clip}/links`, { limit: 200 }, signal), [detail.clip]);
  const busy = asked.data?.items.some((link) => UNDER_WAY.includes(link.state) && !link.revoked_at);
  const again = useRef(asked.retry);
  again.current = asked.retry;
  useEffect(() => {
    if (!busy) return undefined;
    const timer = setInterval(() => again.current(), 1000);
    return () => clearInterval(timer);
  }, [busy]);
  return html`<section class="sharing"><h2>${t("share.title")}</h2><p class="quiet small">${t("share.about")}</p>
    ${me.rights.includes("share_clip") && html`<${Sharer} detail=${detail} words=${words} onShared=${asked.retry} />`}
    <${Stated} asked=${asked}>${({ items }) => (items.length
      ? html`<ul class="plain links">${[...items].reverse().map((link) => html`<li key=${link.link}><${Link} clip=${detail.clip} link=${link} me=${me} onEnded=${asked.retry} /></li>`)}</ul>`
      : html`<p class="quiet">${t("share.none")}</p>`)}</${Stated}></section>`;
}

function Sharer({ detail, words, onShared }) {
  const [purpose, setPurpose] = usePurpose();
  const [form, setForm] = useState(EMPTY);
  const [address, setAddress] = useState(null);
  // Without a key: a stored answer would hold the secret. So a lost answer is a link nobody can use, seen in the list.
  const doing = useAct((made) => { setAddress(new URL(made.url, location.href).href); setForm(EMPTY); onShared(); });
  const put = (name) => (value) => setForm((before) => ({ ...before, [name]: value }));
  const [from, to] = [form.from, form.to].map((text) => (text ? millisecondsOf(text) : undefined));
  const behind = from !== null && to != null && to <= (from ?? 0) ? t("share.behind") : null;
  const wrong = (ms) => (ms === null ? t("share.no_time") : null);
  const whole = form.recipient.trim() && purpose && !behind && from !== null && to !== null;
  const redacted = (detail.derivation?.renditions ?? []).some((made) => made.kind === "redacted");
  function share(event) {
    event.preventDefault();
    setAddress(null);
    const expires = new Date(Date.now() + Number(form.days) * DAY_MS).toISOString();
    const body = { recipient: form.recipient.trim(), purpose, expires_at: expires, uses: Number(form.uses), rendition: form.rendition, from_ms: from, to_ms: to };
    void doing.act(async () => (await call("POST", `/v1/clips/${detail.clip}/links`, { body })).data);
  }
  return html`<form class="new" onSubmit=${share}><fieldset class="fields"><legend class="quiet small">${t("share.new")}</legend>
      <${Field} name="recipient" label=${t("share.recipient")} value=${form.recipient} maxlength="100" required onPut=${put("recipient")} />
      <${Purpose} words=${words} chosen=${purpose} onChoose=${setPurpose} />
      <${Choice} name="days" label=${t("share.until")} value=${form.days} options=${DAYS.map((days) => [String(days), t("share.days", { days })])} onPut=${put("days")} />
      <${Choice} name="uses" label=${t("share.uses")} value=${form.uses} options=${["1", "2", "5"].map((uses) => [uses, t("share.times", { uses })])} onPut=${put("uses")} />
      <${Choice} name="rendition" label=${t("share.what")} value=${form.rendition} options=${[["proxy", t("share.proxy")], ["redacted", t("share.redacted")]]} onPut=${put("rendition")} />
      <${Field} name="from" label=${t("share.from")} value=${form.from} placeholder=${t("share.beginning")} wrong=${wrong(from)} onPut=${put("from")} />
      <${Field} name="to" label=${t("share.upto")} value=${form.to} placeholder=${t("share.end")} wrong=${wrong(to) ?? behind} onPut=${put("to")} /></fieldset>
    ${redacted && form.rendition === "proxy" && html`<p class="small">${t("share.redacted_there")}</p>`}
    <p><button class="primary share" disabled=${doing.busy || !whole}>${t("share.make")}</button></p>
    ${address && html`<p class="verdict ok" role="status">${t("share.once")}<br /><input class="address" readonly value=${address} aria-label=${t("share.address")} onFocus=${(event) => event.target.select()} />
      <button type="button" onClick=${() => navigator.clipboard?.writeText(address)}>${t("share.copy")}</button></p>`}
    ${doing.problem && html`<${Outcome} doing=${doing} />`}</form>`;
}

// What a link is good for now: its copy may still be in the making, or it may be at its end.
function standing(link) {
  if (link.revoked_at) return ["revoked", undefined];
  if (new Date(link.expires_at) <= new Date()) return ["expired", undefined];
  if (link.uses >= link.uses_max) return ["used", undefined];
  return [link.state, { done: "ok", refused: "error" }[link.state]];
}

function Link({ clip, link, me, onEnded }) {
  const [state, kind] = standing(link);
  const doing = useAct(onEnded);
  const [reason, setReason] = useState("");
  const ended = ["revoked", "expired", "used", "refused", "cancelled", "removed"].includes(state);
  const end = (event) => { event.preventDefault(); void doing.post(`/v1/clips/${clip}/links/${link.link}/revocation`, { reason: reason.trim() }); };
  return html`<p><${Badge} kind=${kind}>${t(`share.state.${state}`)}</${Badge}> <strong>${shownText(link.recipient)}</strong> <code class="small">${link.mark}</code>${" "}
      · ${t("share.used", { uses: link.uses, most: link.uses_max })} · ${t("share.to")} <${Instant} at=${link.expires_at} />
      ${(link.from_ms !== null || link.to_ms !== null) && html` · ${clockText(link.from_ms ?? 0)}–${link.to_ms === null ? t("share.end") : clockText(link.to_ms)}`}
      <span class="quiet small"> <${Person} actor=${link.shared_by} /> <${Instant} at=${link.shared_at} /></span></p>
    ${UNDER_WAY.includes(link.state) && !ended && html`<p role="status"><progress max="1" value=${link.bytes_total ? link.bytes_done / link.bytes_total : undefined} aria-label=${t("share.making")}></progress></p>`}
    ${link.reason && html`<p class="bad small">${link.reason}</p>`}
    ${!ended && me.rights.includes("revoke_clip_link") && html`<form class="row" onSubmit=${end}>
      <${Field} name="reason" label=${t("share.reason")} value=${reason} required onPut=${setReason} /><button class="revoke" disabled=${doing.busy || !reason.trim()}>${t("share.revoke")}</button></form>`}
    ${doing.problem && html`<${Outcome} doing=${doing} />`}`;
}
