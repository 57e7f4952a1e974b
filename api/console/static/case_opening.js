// Opening a case: number, title, what kind of action it is, whose it is and who handles it.

import { html } from "./vendor/preact-htm.js";
import { get } from "./api.js";
import { Choice, Field, Outcome, useAct } from "./acting.js";
import { Folded, useDraft } from "./drafts.js";
import { Stated, shownText, useAsked } from "./parts.js";
import { currentLanguage, t } from "./words.js";

const EMPTY = { number: "", title: "", kind: "", unit: "", handlers: "" };

// Action types of the lists in force, each once; where no list is in force there is none to choose.
const actionsOf = async (signal) => {
  const { lists } = await get("/v1/items/in-force", {}, signal).catch((problem) => {
    if (problem.code === "items.unknown") return { lists: [] };
    throw problem;
  });
  return [...new Map(lists.flatMap((one) => one.list.action_types).map((one) => [one.key, one])).values()];
};

export const CaseOpening = ({ me }) => html`<${Folded} title=${t("cases.open")} about="case.new" me=${me}><${Form} me=${me} /></${Folded}>`;

function Form({ me }) {
  const asked = useAsked((signal) => Promise.all([actionsOf(signal), get("/v1/units", { limit: 200 }, signal)]), []);
  const draft = useDraft("case.new", me.staff, EMPTY);
  const { content, put } = draft;
  const doing = useAct((made) => {
    draft.forget();
    location.hash = `#/cases/${made.case}`;
  });
  const handlers = content.handlers.split(/[、,，;；]/u).map((name) => name.trim()).filter(Boolean);
  function send(event) {
    event.preventDefault();
    doing.post("/v1/cases", {
      number: content.number.trim(),
      title: content.title.trim(),
      handlers,
      ...(content.kind && { kind: content.kind }),
      ...(content.unit && { unit: content.unit }),
    });
  }
  return html`<${Stated} asked=${asked}>${([actions, { items: units }]) => html`<form class="sheet opening" onSubmit=${send}>
    <${Field} name="number" label=${t("cases.number")} required maxlength="200" value=${content.number} onPut=${(number) => put({ number })} />
    <${Field} name="title" label=${t("cases.name")} required value=${content.title} onPut=${(title) => put({ title })} />
    <${Choice} name="kind" label=${t("cases.kind")} empty="—" value=${content.kind} onPut=${(kind) => put({ kind })}
      options=${actions.map((one) => [one.key, (currentLanguage() === "en" && one.title_en) || one.title])} />
    <${Choice} name="unit" label=${t("cases.unit")} empty="—" value=${content.unit} onPut=${(unit) => put({ unit })} options=${units.map((one) => [one.unit, shownText(one.name)])} />
    <${Field} name="handlers" label=${t("cases.handlers")} hint=${t("cases.handlers_hint")} value=${content.handlers} onPut=${(names) => put({ handlers: names })} />
    <button class="primary" disabled=${doing.busy}>${t("cases.open")}</button>
    <${Outcome} doing=${doing} word="cases.opened_now" /></form>`}</${Stated}>`;
}
