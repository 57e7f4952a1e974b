// The small spellings that all formats share, each with one spelling per value, and how Python would print a string.

class Refusal extends Error {
  constructor(kind, message) {
    super(message);
    this.kind = kind; // which rule refused: entry, wire, mismatch, proof, note, checkpoint, key, policy ...
  }
}

const refuse = (kind, message) => { throw new Refusal(kind, message); };

const utf8 = (text) => new TextEncoder().encode(text);
// Without ignoreBOM a byte order mark would vanish, and two spellings would look like one.
const fromUtf8 = (bytes) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
const hasLoneSurrogate = (text) => /\p{Cs}/u.test(text);

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const fromHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const sameBytes = (left, right) => left.length === right.length && left.every((byte, index) => byte === right[index]);

function parseBase64(text) {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) refuse("lexeme", "not base64");
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  if (formatBase64(bytes) !== text) refuse("lexeme", "base64 with stray bits");
  return bytes;
}

function formatBase64(bytes) {
  let binary = "";
  for (let start = 0; start < bytes.length; start += 4096) {
    binary += String.fromCharCode(...bytes.subarray(start, start + 4096));
  }
  return btoa(binary);
}

function parseDecimal(text, maximum) {
  if (text.length > String(maximum).length || !/^(?:0|[1-9][0-9]*)$/.test(text) || BigInt(text) > maximum) {
    refuse("lexeme", "not a decimal number in its bounds");
  }
  return BigInt(text);
}

// A BigInt leaves the page as a number where numbers are exact, and as its digits beyond.
const plainNumber = (value) => (value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value));

function pythonText(value) {
  if (Array.isArray(value)) return `[${value.map(pythonRepr).join(", ")}]`;
  return String(value);
}

function pythonRepr(text) {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const named = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", [quote]: `\\${quote}` };
  return quote + Array.from(text, (char) => named[char] ?? (isShown(char) ? char : escaped(char))).join("") + quote;
}

// What Python calls printable: no control, format, unassigned or separator character but the space.
const isShown = (char) => char === " " || !/[\p{C}\p{Z}]/u.test(char);

function escaped(char) {
  const code = char.codePointAt(0);
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}
