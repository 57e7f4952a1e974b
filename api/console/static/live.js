// What changes while somebody looks: questions that are asked again, and the docks as the service tells of them.

import { html, useEffect, useRef, useState } from "./vendor/preact-htm.js";
import { get } from "./api.js";
import { Failure } from "./parts.js";
import { t } from "./words.js";

const STREAM = "/v1/docks/events";
const STREAM_SECONDS = 60;
const POLL_SECONDS = 10;
const FAILURES_MAX = 2;

// Asks again every so often while the page is to be seen; what was known stays where asking fails, with its problem.
export function useFresh(ask, seconds, depends = []) {
  const [state, setState] = useState({});
  const again = useRef(() => undefined);
  useEffect(() => {
    const stop = new AbortController();
    let timer = null;
    async function round() {
      clearTimeout(timer);
      try {
        const data = document.hidden ? undefined : await ask(stop.signal);
        if (data !== undefined && !stop.signal.aborted) setState({ data, at: new Date().toISOString() });
      } catch (problem) {
        if (!stop.signal.aborted) setState((before) => ({ ...before, problem }));
      }
      if (!stop.signal.aborted) timer = setTimeout(round, seconds * 1000);
    }
    again.current = round;
    void round();
    const seen = () => document.hidden || void round();
    document.addEventListener("visibilitychange", seen);
    return () => {
      stop.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, depends);
  return { ...state, retry: () => again.current() };
}

// The docks by server-sent events; where these do not come, by asking, and every now and then the stream again.
export function useDocks() {
  const [state, setState] = useState({ mode: "connecting" });
  const again = useRef(() => undefined);
  useEffect(() => {
    let [source, timer, over, failures] = [null, null, false, 0];
    const told = (page, mode) => over || setState({ data: page, mode, at: new Date().toISOString() });
    function watch() {
      source = new EventSource(`${STREAM}?seconds=${STREAM_SECONDS}`);
      source.addEventListener("docks", (event) => {
        failures = 0;
        told(JSON.parse(event.data), "live");
      });
      source.onerror = () => {
        failures += 1;
        if (source.readyState !== EventSource.CLOSED && failures <= FAILURES_MAX) return;
        source.close();
        void poll();
      };
    }
    async function poll() {
      clearTimeout(timer);
      try {
        told(await get("/v1/docks", { limit: 200 }), "polling");
        timer = setTimeout(() => { failures = FAILURES_MAX; watch(); }, POLL_SECONDS * 1000);
      } catch (problem) {
        if (over) return;
        setState((before) => ({ ...before, problem, mode: "lost" }));
        timer = setTimeout(poll, POLL_SECONDS * 1000);
      }
    }
    again.current = poll;
    watch();
    return () => {
      over = true;
      clearTimeout(timer);
      source?.close();
    };
  }, []);
  return { ...state, retry: () => again.current() };
}

export function Fresh({ asked, children }) {
  if (asked.data !== undefined) return children(asked.data);
  if (asked.problem) return html`<${Failure} problem=${asked.problem} retry=${asked.retry} />`;
  return html`<p class="quiet" role="status">${t("state.loading")}</p>`;
}

// Everything of a list, as far as a page can show it.
export async function every(path, query, signal, pages = 5) {
  let [items, cursor] = [[], undefined];
  for (let page = 0; page < pages && cursor !== null; page += 1) {
    const found = await get(path, { ...query, limit: 200, cursor }, signal);
    items = items.concat(found.items);
    cursor = found.next;
  }
  return { items, more: cursor !== null };
}

// How long ago, in one unit; a clock that is a little behind says "now".
export function agoText(at, now = Date.now()) {
  const seconds = Math.max(0, (now - Date.parse(at)) / 1000);
  const [name, length] = [["days", 86400], ["hours", 3600], ["minutes", 60]].find(([, size]) => seconds >= size) ?? ["now", 1];
  return t(`ago.${name}`, { count: Math.floor(seconds / length) });
}
