// What people are called whose ids stand on a page. Names that are wanted at once are asked for together, each once; whom
// the service does not name stays the end of an id.

import { html, useEffect, useState } from "./vendor/preact-htm.js";
import { get } from "./api.js";
import { shownText } from "./parts.js";

const AT_ONCE = 100;
const names = new Map();
const waiting = new Map();
const idOf = (actor) => /^(?:staff|officer):([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(actor)?.[1];

function nameOf(actor) {
  if (names.has(actor)) return names.get(actor);
  const asked = new Promise((resolve) => {
    if (!waiting.size) setTimeout(askTogether, 10);
    waiting.set(actor, resolve);
  });
  names.set(actor, asked);
  return asked;
}

async function askTogether() {
  const wanted = [...waiting];
  waiting.clear();
  for (let from = 0; from < wanted.length; from += AT_ONCE) {
    const part = wanted.slice(from, from + AT_ONCE);
    // A name is a help to the reader: without an answer the id stays, and the next page asks again.
    const found = await get("/v1/people", { ids: [...new Set(part.map(([actor]) => idOf(actor)))].join(",") })
      .then(({ items }) => new Map(items.map((one) => [one.actor, one.name])), () => null);
    for (const [actor, resolve] of part) {
      const name = found?.get(actor) ?? null;
      if (found) names.set(actor, name);
      else names.delete(actor);
      resolve(name);
    }
  }
}

// Somebody by name and the end of the id; the whole id where the pointer rests. Docks, machines: as they stand.
export function Person({ actor }) {
  const known = names.get(actor);
  const [name, setName] = useState(typeof known === "string" ? known : null);
  useEffect(() => {
    let left = false;
    setName(typeof known === "string" ? known : null);
    if (idOf(actor)) Promise.resolve(nameOf(actor)).then((found) => left || setName(found));
    return () => { left = true; };
  }, [actor]);
  if (!idOf(actor)) return html`<span class="quiet" title=${actor}>${shownText(actor)}</span>`;
  return html`<span class="person" title=${actor}>${name && html`${shownText(name)} `}<span class="quiet small">(…${actor.slice(-4)})</span></span>`;
}
