// What somebody looks for. Asked once in a session of the browser's tab, said with every view, and always to be seen.

import { html, useEffect, useState } from "./vendor/preact-htm.js";
import { t } from "./words.js";
import { currentLanguage } from "./words.js";

const KEPT = "shilu.purpose";
const chosen = new EventTarget();

export const purposeOf = () => sessionStorage.getItem(KEPT) ?? "";

// The purpose of this tab and a way to choose another; wherever it is chosen, everybody who shows it follows.
export function usePurpose() {
  const [purpose, setPurpose] = useState(purposeOf());
  useEffect(() => {
    const follow = () => setPurpose(purposeOf());
    chosen.addEventListener("chosen", follow);
    return () => chosen.removeEventListener("chosen", follow);
  }, []);
  return [purpose, setPurpose];
}

export function Purpose({ words, chosen: shown, onChoose }) {
  const choose = (event) => {
    sessionStorage.setItem(KEPT, event.target.value);
    chosen.dispatchEvent(new Event("chosen"));
    onChoose(event.target.value);
  };
  return html`<label class="purpose">${t("view.purpose")}
    <select value=${shown} onChange=${choose}>
      <option value="" disabled>${t("view.choose")}</option>
      ${words.purposes.map((term) => html`<option key=${term.key} value=${term.key} selected=${term.key === shown}>${term[currentLanguage()]}</option>`)}
    </select></label>`;
}

// In the bar of every page: what this tab looks for, once somebody has said so.
export function PurposeChip({ words }) {
  const [purpose, setPurpose] = usePurpose();
  return purpose && html`<span class="lookingfor"><${Purpose} words=${words} chosen=${purpose} onChoose=${setPurpose} /></span>`;
}
