// The frame: who is here, which view, which language and theme. The address behind # says what is shown, so that every
// view can be linked to, and going back works.

import { html, render, useEffect, useRef, useState } from "./vendor/preact-htm.js";
import { call, get, sessionEnded } from "./api.js";
import { Cases } from "./cases.js";
import { ClipView } from "./clip.js";
import { LaterPage, PAGES } from "./pages.js";
import { Failure } from "./parts.js";
import { PurposeChip } from "./purpose.js";
import { SearchView } from "./search.js";
import { SignIn, arrive } from "./session.js";
import { FileCheck } from "./checking.js";
import { currentLanguage, t, titled, useLanguage } from "./words.js";

function place() {
  const [path, query = ""] = location.hash.replace(/^#/, "").split("?");
  const parts = path.split("/").filter(Boolean);
  return { view: parts[0] ?? null, id: parts[1] ?? null, rest: parts.slice(2), query: new URLSearchParams(query) };
}

// Forgets what belongs to whoever was here, their purpose above all, and loads the page anew.
function startOver() {
  sessionStorage.clear();
  location.hash = "";
  location.reload();
}

function useTheme() {
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const [theme, setTheme] = useState(localStorage.getItem("shilu.theme") ?? system);
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
    localStorage.setItem("shilu.theme", theme);
  }, [theme]);
  return [theme, () => setTheme(theme === "dark" ? "light" : "dark")];
}

function App() {
  const [me, setMe] = useState(undefined);
  const [words, setWords] = useState(null);
  const [ended, setEnded] = useState(false);
  const [problem, setProblem] = useState(null);
  const [where, setWhere] = useState(place());
  const [language, setLanguage] = useState(currentLanguage());
  const [theme, turnTheme] = useTheme();
  const present = useRef(null);

  async function enter() {
    setProblem(null);
    try {
      const who = await get("/v1/session");
      // Over a page that waited for its person nobody else may go on: nothing of it is theirs.
      if (present.current && present.current !== who.staff) return startOver();
      present.current = who.staff;
      arrive(who.staff);
      setWhere(place());
      setWords(await get("/v1/vocabulary"));
      setMe(who);
      setEnded(false);
    } catch (error) {
      if (error.status === 401) setMe(null);
      else setProblem(error);
    }
  }

  useEffect(() => {
    useLanguage(language);
    void enter();
    const moved = () => setWhere((before) => {
      const next = place();
      // Another page: keys and screen readers begin at it, not where the one before ended.
      if (before.view !== next.view || before.id !== next.id) document.getElementById("content")?.focus({ preventScroll: true });
      return next;
    });
    const lost = () => setEnded(true);
    addEventListener("hashchange", moved);
    sessionEnded.addEventListener("ended", lost);
    return () => {
      removeEventListener("hashchange", moved);
      sessionEnded.removeEventListener("ended", lost);
    };
  }, []);

  function otherLanguage() {
    const other = language === "zh" ? "en" : "zh";
    useLanguage(other);
    setLanguage(other);
  }

  async function leave() {
    try {
      await call("DELETE", "/v1/session");
    } catch (error) {
      if (error.status !== 401) return setProblem(error);
    }
    startOver();
  }

  if (me === undefined) return problem
    ? html`<main class="center"><${Failure} problem=${problem} retry=${enter} /></main>`
    : html`<p class="quiet center" role="status">${t("state.loading")}</p>`;
  if (me === null) return html`<${SignIn} onDone=${enter} />`;
  const manages = me.role === "administrator";
  const view = where.view ?? (manages ? "operations" : "search");
  const views = {
    search: html`<${SearchView} key="search" query=${where.query} me=${me} words=${words} />`,
    clips: html`<${ClipView} key=${where.id} clip=${where.id} at=${Number(where.query.get("at")) || 0} me=${me} words=${words} />`,
    cases: where.id ? html`<${LaterPage} key=${where.id} name="case" where=${where} me=${me} words=${words} />` : html`<${Cases} me=${me} />`,
    verify: html`<${FileCheck} />`,
  };
  const later = Object.keys(PAGES).filter((name) => !PAGES[name].roles || PAGES[name].roles.includes(me.role));
  const shown = views[view]
    ?? (PAGES[view] ? html`<${LaterPage} key=${view} name=${view} where=${where} me=${me} words=${words} />` : views.search);
  // Whoever manages the house sees no footage: the service would refuse these pages.
  const links = manages ? later : ["search", "cases", ...later, "verify"];
  const link = (name) => html`<a href=${`#/${name}`} aria-current=${name === view ? "page" : undefined}>${t(`nav.${name}`)}</a>`;
  return html`
    <a class="skip" href="#content" onClick=${(e) => { e.preventDefault(); document.getElementById("content").focus(); }}>${t("nav.skip")}</a>
    <header class="bar">
      <a class="brand" href="#/"><span class="mark" aria-hidden="true"></span>${t("app.name")}</a>
      <nav>${links.map(link)}</nav>
      <span class="grow"></span>
      <${PurposeChip} words=${words} />
      <span class="who">${me.name} · ${titled(words.roles, me.role)}</span>
      <button type="button" class="plain" onClick=${turnTheme}>${t(theme === "dark" ? "theme.light" : "theme.dark")}</button>
      <button type="button" class="plain" onClick=${otherLanguage} lang=${language === "zh" ? "en" : "zh-CN"}>${t("language.other")}</button>
      <button type="button" class="plain" onClick=${leave}>${t("session.sign_out")}</button>
    </header>
    ${problem && html`<${Failure} problem=${problem} />`}
    <main id="content" tabindex="-1">${shown}</main>
    ${ended && html`<div class="over" role="dialog" aria-modal="true" aria-label=${t("session.sign_in")}><${SignIn} ended=${true} onDone=${enter} /></div>`}`;
}

const root = document.getElementById("app");
root.replaceChildren();
render(html`<${App} />`, root);
