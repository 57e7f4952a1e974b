// Signing in, and signing in again over a page that stays as it is.

import { html, useEffect, useRef, useState } from "./vendor/preact-htm.js";
import { call, get } from "./api.js";
import { Failure } from "./parts.js";
import { known, t } from "./words.js";

// How coming back from the agency's provider went wrong, by the code that the service gave for it.
const refused = /^[a-z_.]{1,60}$/.exec(new URLSearchParams(location.search).get("refused") ?? "")?.[0];

const LEFT = "shilu.left";
const PERSON = "shilu.person";

// Whoever goes to the provider comes back to the bare console: the page they were at waits in this tab.
const leave = () => sessionStorage.setItem(LEFT, location.hash);

// Makes the tab its person's: what somebody else said in it, such as a purpose, is forgotten, and who left for the provider
// is where they were.
export function arrive(staff) {
  if (![null, staff].includes(sessionStorage.getItem(PERSON))) sessionStorage.clear();
  sessionStorage.setItem(PERSON, staff);
  const left = sessionStorage.getItem(LEFT);
  sessionStorage.removeItem(LEFT);
  if (refused || (left && !location.hash)) history.replaceState(null, "", `${location.pathname}${location.hash || left || ""}`);
}

export function SignIn({ ended, onDone }) {
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [asksCode, setAsksCode] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(null);
  const first = useRef(null);
  const [ways, setWays] = useState(null);
  useEffect(() => {
    first.current?.focus();
    // Without an answer there is still the password.
    get("/v1/session/ways").then(setWays, () => undefined);
  }, []);

  async function send(event) {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await call("POST", "/v1/session", { body: { login, password, cookie: true, ...(asksCode ? { code } : {}) } });
      onDone();
    } catch (error) {
      if (error.code === "auth.second_factor") setAsksCode(true);
      else setProblem(error);
    }
    setBusy(false);
  }

  return html`<main class="sign-in">
    <form class="card" onSubmit=${send}>
      <h1><span class="mark" aria-hidden="true"></span>${t("app.name")}</h1>
      ${refused && !problem && !ended && html`<div class="failure" role="alert"><p>${t("session.refused")} ${known("refused", refused)}</p><p class="quiet">${t("problem.code")} <code>${refused}</code></p></div>`}
      <p class="quiet">${ended ? t("session.ended") : t("app.claim")}</p>
      <label>${t("session.login")}
        <input ref=${first} name="login" autocomplete="username" required value=${login} onInput=${(e) => setLogin(e.target.value)} /></label>
      <label>${t("session.password")}
        <input name="password" type="password" autocomplete="current-password" required value=${password}
          onInput=${(e) => setPassword(e.target.value)} /></label>
      ${asksCode && html`<label>${t("session.code")}
        <input name="code" inputmode="numeric" autocomplete="one-time-code" required value=${code} onInput=${(e) => setCode(e.target.value)} /></label>`}
      ${problem && html`<${Failure} problem=${problem} />`}
      <button class="primary" disabled=${busy}>${busy ? t("session.busy") : t("session.sign_in")}</button>
      ${ways?.provider && html`<p class="quiet center">${t("session.or")}</p><a class="button" href="/v1/session/oidc" onClick=${leave}>${t("session.oidc")}</a>`}
    </form>
  </main>`;
}
