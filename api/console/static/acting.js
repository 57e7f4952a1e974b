// Doing something that goes on record, once: while it is under way its button rests, a refusal stays beside it, and the
// same request sent again after a lost answer changes nothing a second time.

import { html, useRef, useState } from "./vendor/preact-htm.js";
import { call, onceKey } from "./api.js";
import { Failure } from "./parts.js";
import { Person } from "./people.js";
import { t } from "./words.js";

export function useAct(onDone) {
  const [state, setState] = useState({});
  const last = useRef({});
  // One key for one intention: another body is another one.
  function keyOf(path, body) {
    const intention = JSON.stringify([path, body]);
    if (last.current.intention !== intention) last.current = { intention, key: onceKey() };
    return last.current.key;
  }
  async function act(work) {
    setState({ busy: true });
    try {
      const done = await work();
      last.current = {};
      setState({ done: done ?? true });
      await onDone?.(done);
    } catch (problem) {
      setState({ problem });
    }
  }
  const post = (path, body, headers) =>
    act(async () => (await call("POST", path, { body, headers: { "Idempotency-Key": keyOf(path, body), ...headers } })).data);
  return { ...state, act, post, clear: () => setState({}) };
}

// What the service says beside its refusal: reasons, problems, obstacles.
export const refusal = (doing) => doing.problem?.details?.details ?? {};

// What became of it, for every form alike.
export const Outcome = ({ doing, word }) => html`
  ${doing.problem && html`<${Failure} problem=${doing.problem} />`}
  ${doing.done && html`<p class="verdict ok" role="status">${t(word ?? "desk.recorded")}</p>`}`;

// A labelled field. `wrong` is what the service has against it, said where it is.
export function Field({ label, value, onPut, rows, type = "text", wrong, hint, name, ...more }) {
  const typed = (event) => onPut(event.target.value);
  const given = { name, value, onInput: typed, "aria-invalid": wrong ? "true" : undefined, ...more };
  return html`<label class=${wrong ? "field wrong" : "field"}>${label}${hint && html` <span class="quiet small">${hint}</span>`}
    ${rows ? html`<textarea rows=${rows} ...${given}></textarea>` : html`<input type=${type} ...${given} />`}
    ${wrong && html`<span class="bad small" role="alert">${wrong}</span>`}</label>`;
}

export function Choice({ label, value, onPut, options, empty, name, ...more }) {
  return html`<label class="field">${label}
    <select name=${name} value=${value} onChange=${(event) => onPut(event.target.value)} ...${more}>
      ${empty !== undefined && html`<option value="">${empty}</option>`}
      ${options.map(([key, title]) => html`<option key=${key} value=${key} selected=${key === value}>${title}</option>`)}</select></label>`;
}

// Who did it: oneself by name, others by name and the end of their id.
export const Actor = ({ actor, me }) => (actor === `staff:${me.staff}` ? html`<span title=${actor}>${me.name}</span>` : html`<${Person} actor=${actor} />`);
