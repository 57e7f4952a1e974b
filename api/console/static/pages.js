// Pages that are loaded when somebody goes there: their address behind #, who finds them in the navigation, and their module.
// Each module exports `Page({ where, me, words })` and brings its words from words/.

import { html, useEffect, useState } from "./vendor/preact-htm.js";
import { Failure } from "./parts.js";
import { t } from "./words.js";

// { address: { load, roles } }: without roles everybody finds it. What a person may do there is the service's to say.
export const PAGES = {
  case: { load: () => import("./case.js"), roles: [] },
  review: { load: () => import("./review.js"), roles: ["investigator", "archivist", "reviewer", "auditor"] },
  publicity: { load: () => import("./publicity.js"), roles: ["investigator", "archivist", "reviewer", "auditor"] },
  operations: { load: () => import("./operations.js"), roles: ["administrator", "auditor", "archivist"] },
  statistics: { load: () => import("./statistics.js") },
  registers: { load: () => import("./registers.js"), roles: ["administrator", "auditor", "archivist"] },
};

const loaded = {};

export function LaterPage({ name, ...given }) {
  const [state, setState] = useState({});
  async function load() {
    try {
      loaded[name] ??= (await PAGES[name].load()).Page;
      setState({});
    } catch (problem) {
      setState({ problem });
    }
  }
  useEffect(() => void load(), [name]);
  if (loaded[name]) return html`<${loaded[name]} ...${given} />`;
  if (state.problem) return html`<${Failure} problem=${state.problem} retry=${load} />`;
  return html`<p class="quiet" role="status">${t("state.loading")}</p>`;
}
