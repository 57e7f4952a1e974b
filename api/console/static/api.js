// The one place that speaks to the service. Every call is one of the routes that other programs use too; the session is a
// cookie that no script can read. Whatever the service refuses becomes a Problem with the service's own stable code.

export class Problem extends Error {
  constructor({ status, code, detail, details }) {
    super(detail || code);
    this.status = status;
    this.code = code;
    this.details = details ?? {};
  }
}

// Told when the service no longer knows the session: the page asks to sign in again, and keeps what is on it.
export const sessionEnded = new EventTarget();

export async function call(method, path, { body, headers, query, signal } = {}) {
  const answer = await reach(address(path, query), {
    method,
    signal,
    headers: { ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
    credentials: "same-origin",
  });
  if (answer.ok) {
    const isJson = (answer.headers.get("Content-Type") ?? "").startsWith("application/json");
    return { etag: answer.headers.get("ETag"), status: answer.status, data: isJson ? await answer.json() : null };
  }
  throw await problemOf(answer, path);
}

export const get = async (path, query, signal) => (await call("GET", path, { query, signal })).data;

// Bytes on their way in, as they are; the answer's headers say where they are and how many came.
export async function send(method, path, headers, body) {
  const answer = await reach(path, { method, headers, body, credentials: "same-origin" });
  if (!answer.ok) throw await problemOf(answer, path);
  return answer.headers;
}

// A file as it is, for an answer in JSON.
export async function sendFile(path, file, query) {
  const answer = await reach(address(path, query), { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: file, credentials: "same-origin" });
  if (!answer.ok) throw await problemOf(answer, path);
  return answer.json();
}

// `fresh` asks the service even if the browser has an answer that is a second old.
export async function bytes(path, { range, fresh = false } = {}) {
  const headers = range ? { Range: `bytes=${range[0]}-${range[1] - 1}` } : {};
  const answer = await reach(path, { headers, cache: fresh ? "no-store" : "default" });
  if (!answer.ok) throw await problemOf(answer, path);
  return new Uint8Array(await answer.arrayBuffer());
}

// A picture that is made for this request, and the statement that comes with it.
export async function picture(path, body, signal) {
  const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), credentials: "same-origin", signal };
  const answer = await reach(path, options);
  if (!answer.ok) throw await problemOf(answer, path);
  return { blob: await answer.blob(), statement: JSON.parse(answer.headers.get("X-Shilu-Still")) };
}

// A key for a change that must happen once, however often its request is sent (Idempotency-Key).
export const onceKey = () => crypto.randomUUID();

async function reach(url, options) {
  try {
    return await fetch(url, { ...options, redirect: "error" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ status: 0, code: "console.offline", detail: "" });
  }
}

// An address with its questions, for what a browser fetches by itself.
export function address(path, query) {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}

async function problemOf(answer, path) {
  let stated = {};
  try {
    stated = await answer.json();
  } catch {
    stated = { code: `http.${answer.status}` };
  }
  const { code = `http.${answer.status}`, detail = "", type: _, title: __, status: ___, ...details } = stated;
  const problem = new Problem({ status: answer.status, code, detail, details });
  if (answer.status === 401 && path !== "/v1/session") sessionEnded.dispatchEvent(new Event("ended"));
  return problem;
}
