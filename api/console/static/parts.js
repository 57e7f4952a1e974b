// What several views share: states of loading and failing, times, sizes, badges. Texts are always children, never markup.

import { html, useCallback, useEffect, useState } from "./vendor/preact-htm.js";
import { currentLanguage, t } from "./words.js";

// Runs a promise when what it depends on changes; an answer to an older question is never shown.
export function useAsked(ask, depends) {
  const [state, setState] = useState({ busy: true });
  const [again, setAgain] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    setState((before) => ({ ...before, busy: true, problem: undefined }));
    ask(stop.signal).then(
      (data) => stop.signal.aborted || setState({ data, busy: false }),
      (problem) => stop.signal.aborted || setState((before) => ({ ...before, busy: false, problem })),
    );
    return () => stop.abort();
  }, [...depends, again]);
  return { ...state, retry: useCallback(() => setAgain((count) => count + 1), []) };
}

export function Stated({ asked, children }) {
  if (asked.problem) return html`<${Failure} problem=${asked.problem} retry=${asked.retry} />`;
  if (asked.data === undefined) return html`<p class="quiet" role="status">${t("state.loading")}</p>`;
  return children(asked.data);
}

// The service refuses in English. In Chinese its code has words of ours; what it said itself, with its numbers and names,
// stands below them.
let chinese = null;
function useRefusal({ code }) {
  const [, learned] = useState(chinese);
  const wanted = currentLanguage() === "zh" && Boolean(code);
  useEffect(() => {
    if (wanted && !chinese) void import("./words/refusals.js").then(({ CHINESE }) => { chinese = CHINESE; learned(CHINESE); }, () => {});
  }, [wanted]);
  return wanted ? chinese?.[code] : undefined;
}

export function Failure({ problem, retry }) {
  const offline = problem.code === "console.offline";
  const ours = useRefusal(offline ? {} : problem);
  return html`<div class="failure" role="alert">
    <p>${offline ? t("state.offline") : ours ?? problem.message}</p>
    ${!offline && problem.code && html`<p class="quiet">${t("problem.code")} <code>${problem.code}</code>${ours && html` <span class="small" lang="en">${problem.message}</span>`}</p>`}
    ${retry && html`<button type="button" onClick=${retry}>${t("state.retry")}</button>`}
  </div>`;
}

const ZONE = "Asia/Shanghai";
const MOMENT = new Intl.DateTimeFormat("sv-SE", { timeZone: ZONE, dateStyle: "short", timeStyle: "medium" });

// A value in a question of the query language.
export const quoted = (value) => (/^[^\s:"()]+$/u.test(value) ? value : `"${value.replaceAll('"', '\\"')}"`);

// The day of an instant in the agency's zone, as questions state it.
export const dayText = (at) => MOMENT.format(new Date(at)).slice(0, 10);

// In the agency's zone; the instant as it stands on record is the tooltip.
export function Instant({ at, source }) {
  if (!at) return html`<span class="quiet">—</span>`;
  return html`<time datetime=${at} title=${source ? `${at} · ${source}` : at}>${MOMENT.format(new Date(at))}</time>`;
}

export function bytesText(count) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let [value, unit] = [count, 0];
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit && value < 100 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

export function clockText(ms) {
  const whole = Math.max(0, Math.round(ms));
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes, seconds] = [Math.floor(whole / 3600000), Math.floor(whole / 60000) % 60, Math.floor(whole / 1000) % 60];
  return `${hours ? `${hours}:` : ""}${two(minutes)}:${two(seconds)}.${String(whole % 1000).padStart(3, "0")}`;
}

// Texts from outside, above all names of files: what an eye cannot see is named, so that nothing reads other than it is.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\u2028\u2029]/gu;

export const shownText = (text) =>
  text.replace(UNSEEN, (char) => `⟨U+${char.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);

export const Badge = ({ kind, children }) => html`<span class=${`badge ${kind ?? ""}`}>${children}</span>`;

export const Digest = ({ hex }) => html`<code class="digest" title=${hex}>${hex.slice(0, 12)}…</code>`;
