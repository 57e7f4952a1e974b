// The fields of a form, those it demands first; what is missing is said where it is missing.

import { html } from "./vendor/preact-htm.js";
import { Field } from "./acting.js";
import { currentLanguage, t } from "./words.js";

const LONG = 300;

export function Fields({ form, fields, problems, onPut }) {
  const wrong = (name) => problems.filter((one) => one.field === name).map(({ problem }) => (problem.startsWith("missing") ? t("publicity.missing") : problem)).join(" ");
  const shown = ({ field, zh, en, chars_max: most, is_day: isDay }, required) => {
    const long = most > LONG;
    return html`<div key=${field} class=${long ? "wide" : ""}><${Field} label=${currentLanguage() === "zh" ? zh : en} hint=${required ? t("publicity.required") : ""} name=${`field-${field}`} type=${isDay ? "date" : "text"}
      rows=${long ? (most > 4000 ? 10 : 3) : undefined} maxlength=${most} aria-required=${required ? "true" : undefined} value=${fields[field] ?? ""} wrong=${wrong(field)}
      onPut=${(text) => onPut({ ...fields, [field]: text })} /></div>`;
  };
  return html`${form.required.map((field) => shown(field, true))}${form.optional.map((field) => shown(field, false))}
    ${problems.filter((one) => !(one.field in fields) && ![...form.required, ...form.optional].some(({ field }) => field === one.field)).map((one) => html`<p key=${one.field} class="bad wide">${one.field}: ${one.problem}</p>`)}`;
}
