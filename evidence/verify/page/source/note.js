// Keys, signed notes, checkpoints and cosignatures (C2SP): the twins of ledger/keys.py, note.py, checkpoint.py and
// cosignature.py. Signatures are checked by the browser's WebCrypto.

const KEY_BYTES = { 1: 32, 4: 32, 6: 1312 };
const ED25519 = 1, COSIGNATURE_ED25519 = 4, COSIGNATURE_MLDSA44 = 6;
const SIZE_MAX = (1n << 63n) - 1n;
const EMPTY_ROOT = sha256();
// str.isspace() of Python, which is not \s.
const PYTHON_SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

function parsePublicKey(vkey) {
  const form = () => refuse("key", "not <name>+<key ID>+<base64 of a known key type>");
  const first = vkey.indexOf("+"), second = vkey.indexOf("+", first + 1);
  if (first < 0 || second < 0) form();
  const name = vkey.slice(0, first), keyId = vkey.slice(first + 1, second);
  let material;
  try {
    material = parseBase64(vkey.slice(second + 1));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    form();
  }
  const type = material[0], raw = material.subarray(1);
  if (!(type in KEY_BYTES)) form();
  checkKeyName(name);
  if (raw.length !== KEY_BYTES[type]) refuse("key", "a public key of another length");
  const computed = sha256(utf8(`${name}\n`), material).subarray(0, 4);
  if (hex(computed) !== keyId) refuse("key", "the key ID is not that of the key");
  return { name, type, raw, keyId: computed, vkey };
}

function checkKeyName(name) {
  const length = utf8(name).length;
  if (!length || length > LIMITS.NAME_BYTES_MAX || name.includes("+") || PYTHON_SPACE.test(name)
    || /[\0-\x1f]/.test(name) || hasLoneSurrogate(name)) {
    refuse("key", `a key name has 1 to ${LIMITS.NAME_BYTES_MAX} bytes, no space and no plus`);
  }
}

function parseNote(whole) {
  const end = whole.lastIndexOf("\n\n");
  if (end < 0 || !whole.endsWith("\n")) {
    refuse("note", "no empty line before the signatures, or no newline at the end");
  }
  const text = whole.slice(0, end + 1);
  if (/[\x00-\x09\x0b-\x1f]/.test(text)) {
    refuse("note", "a note's text ends in a newline and holds no other control character");
  }
  const lines = whole.slice(end + 2, -1).split("\n");
  if (lines.length > LIMITS.SIGNATURES_MAX) {
    refuse("note", `a note has at most ${LIMITS.SIGNATURES_MAX} signatures, not ${lines.length}`);
  }
  return { text, signatures: lines.map(parseSignature) };
}

function parseSignature(line) {
  try {
    const words = line.startsWith("— ") ? line.slice(2).split(" ") : [];
    if (words.length !== 2) refuse("note", "");
    const data = parseBase64(words[1]);
    checkKeyName(words[0]);
    if (data.length <= 4) refuse("note", "");
    return { name: words[0], keyId: data.subarray(0, 4), value: data.subarray(4) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return refuse("note", "a line is not a signature");
  }
}

function parseCheckpoint(text) {
  const lines = text.split("\n");
  let size, root;
  try {
    if (lines.length !== 4) refuse("checkpoint", "");
    size = parseDecimal(lines[1], SIZE_MAX);
    root = parseBase64(lines[2]);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refuse("checkpoint", "not the three lines of a checkpoint: origin, size, root");
  }
  const originBytes = utf8(lines[0]).length;
  if (lines[3] || !originBytes || originBytes > LIMITS.NAME_BYTES_MAX || root.length !== 32) {
    refuse("checkpoint", "the origin or the root of a checkpoint is not of its form");
  }
  if (size === 0n && !sameBytes(root, EMPTY_ROOT)) {
    refuse("checkpoint", "a log without entries has the root of the empty tree");
  }
  return { origin: lines[0], size, root };
}

// Every line whose name and key ID are known must be true; lines of strangers are ignored. Returns [key, value] pairs.
async function openNote(note, keys) {
  const proofs = [];
  const unsupported = [];
  for (const signature of note.signatures) {
    for (const key of keys) {
      if (key.name !== signature.name || !sameBytes(key.keyId, signature.keyId)) continue;
      const verdict = await verifies(key, note.text, signature.value);
      if (verdict === null) unsupported.push(key);
      else if (!verdict) refuse("false", `the signature of ${key.name} is false`);
      else proofs.push([key, signature.value]);
    }
  }
  // A false line condemns the note whatever else cannot be checked, so this comes after all lines were seen.
  if (unsupported.length) refuse("unsupported", signatureKind(unsupported[0]));
  if (!proofs.length) refuse("unsigned", "no signature is by a known key");
  return proofs;
}

const signatureKind = (key) => (key.type === COSIGNATURE_MLDSA44 ? "ML-DSA-44" : "Ed25519");
const cosignedAt = (value) => new DataView(value.buffer, value.byteOffset).getBigUint64(0);

// True, false, or null when this browser cannot tell.
async function verifies(key, text, value) {
  if (key.type === ED25519) return ed25519Verifies(key.raw, utf8(text), value);
  const checkpoint = parsed(() => parseCheckpoint(text));
  if (!checkpoint || value.length < 8 || cosignedAt(value) > SIZE_MAX) return false;
  if (key.type === COSIGNATURE_MLDSA44) return mldsa44Verifies(key, checkpoint, value);
  return ed25519Verifies(key.raw, utf8(`cosignature/v1\ntime ${cosignedAt(value)}\n${text}`), value.subarray(8));
}

function parsed(parse) {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return null;
  }
}

async function ed25519Verifies(raw, message, signature) {
  if (signature.length !== 64) return false;
  if (!(await hasEd25519())) return null;
  const key = await crypto.subtle.importKey("raw", raw, { name: "Ed25519" }, false, ["verify"]).catch(() => null);
  return key !== null && crypto.subtle.verify({ name: "Ed25519" }, key, signature, message);
}

// ML-DSA-44 over the subtree message of tlog-cosignature; browsers of 2026 begin to have it.
async function mldsa44Verifies({ raw, name }, checkpoint, value) {
  const algorithm = { name: "ML-DSA-44" };
  const key = await crypto.subtle.importKey("raw-public", raw, algorithm, false, ["verify"]).catch(() => null);
  if (key === null) return null;
  const numbers = new DataView(new ArrayBuffer(16));
  numbers.setBigUint64(8, checkpoint.size); // from leaf 0 to the size
  const message = joined(utf8("subtree/v1\n\0"), short(name), value.subarray(0, 8), short(checkpoint.origin),
    new Uint8Array(numbers.buffer), checkpoint.root);
  return crypto.subtle.verify(algorithm, key, value.subarray(8), message);
}

// A text with its length before it; names and origins are held to 255 bytes where they are parsed.
const short = (text) => joined(Uint8Array.of(utf8(text).length), utf8(text));
const joined = (...parts) => Uint8Array.from(parts.flatMap((part) => Array.from(part)));

// Asked once, with the second test of RFC 8032, section 7.1: a browser that says yes to everything must not pass.
let ed25519Answer = null;
const hasEd25519 = () => (ed25519Answer ??= tryEd25519());

async function tryEd25519() {
  const raw = fromHex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  const signature = fromHex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
  try {
    const key = await crypto.subtle.importKey("raw", raw, { name: "Ed25519" }, false, ["verify"]);
    const says = (message) => crypto.subtle.verify({ name: "Ed25519" }, key, signature, Uint8Array.of(message));
    return (await says(0x72)) && !(await says(0x73));
  } catch {
    return false;
  }
}
