// What somebody looks for. Asked once in a session of the browser's tab, said with every view, and always to be seen.

import { html } from "./vendor/preact-htm.js";
import { t } from "./words.js";
import { currentLanguage } from "./words.js";

const KEPT = "shilu.purpose";

export const purposeOf = () => sessionStorage.getItem(KEPT) ?? "";

export function Purpose({ words, chosen, onChoose }) {
  const choose = (event) => {
    sessionStorage.setItem(KEPT, event.target.value);
    onChoose(event.target.value);
  };
  return html`<label class="purpose">${t("view.purpose")}
    <select value=${chosen} onChange=${choose}>
      <option value="" disabled>${t("view.choose")}</option>
      ${words.purposes.map((term) => html`<option key=${term.key} value=${term.key} selected=${term.key === chosen}>${term[currentLanguage()]}</option>`)}
    </select></label>`;
}
