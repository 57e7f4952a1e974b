// Statements that a person signs with a key of their own (Ed25519 over canonical JSON, RFC 8785). The key lies in a file
// that the person chooses each time: it is read into this page, used once and never kept. Whose browser cannot sign, or who
// keeps the key elsewhere, takes the statement out and brings the signature back.

import { html, useRef, useState } from "./vendor/preact-htm.js";
import { call, onceKey } from "./api.js";
import { Outcome, useAct } from "./acting.js";
import { Failure } from "./parts.js";
import { t } from "./words.js";

// RFC 8785 for what statements hold: texts, whole numbers, lists, objects. Names are sorted by UTF-16 units, as JS does.
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}

const base64 = (octets) => btoa(String.fromCharCode(...new Uint8Array(octets)));
const octetsOf = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
const utf8 = (text) => new TextEncoder().encode(text);

class KeyUnfit extends Error {}

async function keyOf(file) {
  const pem = (await file.text()).match(/-----BEGIN PRIVATE KEY-----([\s\S]+?)-----END PRIVATE KEY-----/);
  if (!pem) throw new KeyUnfit(t("sign.no_key"));
  try {
    return await crypto.subtle.importKey("pkcs8", octetsOf(pem[1].replace(/\s/g, "")), "Ed25519", true, ["sign"]);
  } catch (error) {
    throw new KeyUnfit(error.name === "NotSupportedError" ? t("sign.no_browser") : t("sign.no_key"));
  }
}

async function publicOf(key) {
  const { x } = await crypto.subtle.exportKey("jwk", key);
  return `${x.replaceAll("-", "+").replaceAll("_", "/")}=`;
}

const signed = async (key, statement) => base64(await crypto.subtle.sign("Ed25519", key, utf8(canonical(statement))));

function offer(name, parts) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(parts));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// A signature as it comes back: 64 bytes, or their base64.
async function signatureOf(file) {
  const octets = new Uint8Array(await file.arrayBuffer());
  if (octets.length === 64) return base64(octets);
  const text = new TextDecoder().decode(octets).trim();
  if (!/^[A-Za-z0-9+/]{86}==$/.test(text)) throw new KeyUnfit(t("sign.no_signature"));
  return text;
}

// `statement()` says what is to be signed, or null when something is missing; `send(statement, signature)` hands it in.
export function Signature({ statement, send, busy, label }) {
  const file = useRef(null);
  const back = useRef(null);
  const [problem, setProblem] = useState(null);
  async function use(chosen, make) {
    setProblem(null);
    const said = statement();
    if (said === null) return;
    try {
      await send(said, await make(said, chosen));
    } catch (error) {
      setProblem(error);
    }
  }
  const here = () => file.current.files[0] && use(file.current.files[0], async (said, chosen) => {
    const signature = await signed(await keyOf(chosen), said);
    file.current.value = "";
    return signature;
  });
  const take = () => { const said = statement(); if (said !== null) offer("statement.json", [canonical(said)]); };
  const bring = () => back.current.files[0] && use(back.current.files[0], (_, chosen) => signatureOf(chosen));
  return html`<div class="sign wide">
    <label class="field">${t("sign.key")} <span class="quiet small">${t("sign.never_kept")}</span><input ref=${file} type="file" name="key" accept=".pem" /></label>
    <button type="button" class="primary" disabled=${busy} onClick=${() => (file.current.files[0] ? here() : setProblem(new KeyUnfit(t("sign.choose"))))}>${label}</button>
    <details><summary>${t("sign.elsewhere")}</summary>
      <p class="small">${t("sign.how")} <code>openssl pkeyutl -sign -rawin -inkey key.pem -in statement.json -out statement.sig</code></p>
      <p class="row"><button type="button" onClick=${take}>${t("sign.take")}</button></p>
      <label class="field">${t("sign.bring")}<input ref=${back} type="file" name="signature" /></label>
      <button type="button" disabled=${busy} onClick=${bring}>${t("sign.with_it")}</button></details>
    ${problem && html`<${Failure} problem=${problem} />`}</div>`;
}

// Stating the key that one signs with: a new one is made here and given to the person as a file, nothing of it stays.
export function OwnKey({ me }) {
  const file = useRef(null);
  const doing = useAct();
  const state = async (key) => {
    const stated = await publicOf(key);
    const proof = await signed(key, { format: "shilu-person-key/1", key: stated, staff: me.staff });
    return (await call("POST", "/v1/review/keys", { body: { key: stated, proof }, headers: { "Idempotency-Key": onceKey() } })).data;
  };
  const make = () => doing.act(async () => {
    const { privateKey } = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
    const lines = base64(await crypto.subtle.exportKey("pkcs8", privateKey)).match(/.{1,64}/g).join("\n");
    // First the file, then the statement: a key on record that nobody has would be worse than a file that nobody needs.
    offer(`${me.login ?? "key"}.pem`, [`-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`]);
    return state(privateKey);
  });
  const use = () => file.current.files[0] && doing.act(async () => state(await keyOf(file.current.files[0])));
  return html`<details class="own-key"><summary>${t("sign.own")}</summary><div class="fields">
    <p class="wide">${t("sign.about")} ${t("sign.number")} <code>${me.staff}</code></p>
    <label class="field wide">${t("sign.have")}<input ref=${file} type="file" name="own" accept=".pem" /></label>
    <button type="button" disabled=${doing.busy} onClick=${use}>${t("sign.state")}</button>
    <button type="button" disabled=${doing.busy} onClick=${make}>${t("sign.make")}</button>
    <${Outcome} doing=${doing} /></div></details>`;
}
