// Canonical JSON (RFC 8785, integers only) and the ledger entry: the twin of ledger/canonical.py.

function parseCanonical(text, bytesMax) {
  const length = utf8(text).length;
  if (length > bytesMax) refuse("canonical", `${length} bytes, at most ${bytesMax} are allowed`);
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    refuse("canonical", `not JSON in UTF-8: ${error.message}`);
  }
  // The lenient parser loses what it forgives (white space, duplicate keys, escapes, 1.0, -0), so it shows here.
  if (canonicalJson(value, LIMITS.DEPTH_MAX) !== text) refuse("canonical", "not in canonical form (RFC 8785)");
  return value;
}

function canonicalJson(value, levels) {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isInteger(value)) refuse("canonical", "a value of type float has no canonical spelling here");
    if (!Number.isSafeInteger(value)) refuseUnspeakable();
    return String(value);
  }
  if (typeof value === "string") return canonicalString(value);
  if (!levels) refuse("canonical", `nested deeper than ${LIMITS.DEPTH_MAX}`);
  if (Array.isArray(value)) return `[${value.map((inner) => canonicalJson(inner, levels - 1)).join(",")}]`;
  // The default order of sort() is that of UTF-16 code units, as RFC 8785 asks.
  const members = Object.keys(value).sort().map((key) => `${canonicalString(key)}:${canonicalJson(value[key], levels - 1)}`);
  return `{${members.join(",")}}`;
}

function canonicalString(text) {
  if (hasLoneSurrogate(text)) refuseUnspeakable();
  return JSON.stringify(text);
}

const refuseUnspeakable = () =>
  refuse("canonical", "an integer beyond 2^53 - 1, a lone surrogate, or a key that is no string");

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

const ENTRY_FIELDS = ["actor", "at", "commit", "id", "subject", "type", "v"];
const PARTY = /^[a-z][a-z0-9_]{0,31}(?::[A-Za-z0-9._~/-]{1,128})?$/;

function decodeEntry(text) {
  let value;
  try {
    value = parseCanonical(text, LIMITS.ENTRY_BYTES_MAX);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refuse("entry", error.message);
  }
  if (!isObject(value) || Object.keys(value).sort().join() !== ENTRY_FIELDS.join() || value.v !== 1) {
    refuse("entry", "not an entry of version 1 with exactly its fields");
  }
  const field = (name, pattern) => {
    if (typeof value[name] !== "string" || !pattern.test(value[name])) {
      refuse("entry", `the field ${name} is not of its form`);
    }
    return value[name];
  };
  const type = field("type", /^(?=.{3,64}$)[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+$/);
  checkEntryId(value.id);
  checkInstant(field("at", /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/));
  field("actor", PARTY);
  const subject = field("subject", PARTY);
  const commit = fromHex(field("commit", /^sha256:([0-9a-f]{64})$/).slice("sha256:".length));
  return { type, id: value.id, at: value.at, actor: value.actor, subject, commit };
}

// What Python's UUID() forgives before its spelling is compared.
const isUuidAtAll = (text) => /^[0-9a-f]{32}$/i.test(text.replaceAll("urn:", "").replaceAll("uuid:", "")
  .replace(/^[{}]+|[{}]+$/g, "").replaceAll("-", ""));

const UUID_SPELLING = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function checkEntryId(id) {
  if (!isUuidAtAll(String(id))) refuse("entry", "the field id is not a UUID");
  if (typeof id !== "string" || !UUID_SPELLING.test(id) || !/^.{14}7.{4}[89ab]/.test(id)) {
    refuse("entry", "the field id is not a UUIDv7 in lower case");
  }
}

function checkInstant(text) {
  const [year, month, day, hour, minute, second] = text.match(/[0-9]+/g).map(Number);
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  if (year < 1 || day < 1 || day > days || hour > 23 || minute > 59 || second > 59) {
    refuse("entry", `no such instant: ${text}`);
  }
}
