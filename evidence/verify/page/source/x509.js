// Certificates and their signatures: the twin of ledger/timestamp/certificate.py and signatures.py. WebCrypto does the
// arithmetic; what it cannot do is not in the list on the other side either.

const HASH_NAMES = {
  "2.16.840.1.101.3.4.2.1": "SHA-256", "2.16.840.1.101.3.4.2.2": "SHA-384", "2.16.840.1.101.3.4.2.3": "SHA-512",
};
const RSA_HASHES = {
  "1.2.840.113549.1.1.11": "SHA-256", "1.2.840.113549.1.1.12": "SHA-384", "1.2.840.113549.1.1.13": "SHA-512",
};
const ECDSA_HASHES = {
  "1.2.840.10045.4.3.2": "SHA-256", "1.2.840.10045.4.3.3": "SHA-384", "1.2.840.10045.4.3.4": "SHA-512",
};
const CURVES = {
  "1.2.840.10045.3.1.7": ["P-256", 32], "1.3.132.0.34": ["P-384", 48], "1.3.132.0.35": ["P-521", 66],
};
const RSA_ENCRYPTION = "1.2.840.113549.1.1.1", RSA_PSS = "1.2.840.113549.1.1.10", MGF1 = "1.2.840.113549.1.1.8";
const EC_PUBLIC_KEY = "1.2.840.10045.2.1";
const falseStamp = (message) => refuse("stamp-false", message);
const unsupportedStamp = () => falseStamp("it uses an algorithm that is not judged here");

async function isSigned({ key, algorithm, digest, message, signature }) {
  const fields = new DerCursor(expectTag(algorithm, TAG.SEQUENCE));
  const name = derOid(fields.take(TAG.OID));
  const stated = readKey(key);
  if (stated.curve) {
    if (!Object.hasOwn(ECDSA_HASHES, name)) unsupportedStamp();
    const [namedCurve, bytes] = stated.curve;
    const raw = parsed(() => rawEcdsa(signature, bytes));
    const imported = await importSpki(key, { name: "ECDSA", namedCurve });
    const how = { name: "ECDSA", hash: ECDSA_HASHES[name] };
    return raw !== null && crypto.subtle.verify(how, imported, raw, message);
  }
  const [scheme, hash, saltLength] = rsaScheme(name, fields.rest, digest);
  const imported = await importSpki(key, { name: scheme, hash });
  return crypto.subtle.verify({ name: scheme, saltLength }, imported, signature, message);
}

async function importSpki(key, algorithm) {
  const imported = await crypto.subtle.importKey("spki", key, algorithm, false, ["verify"]).catch(() => null);
  return imported ?? unsupportedStamp();
}

// What kind of key it is: RSA of 2048 to 8192 bits, or an uncompressed point of a known curve.
function readKey(key) {
  const whole = new DerCursor(derWhole(key, TAG.SEQUENCE));
  const algorithm = new DerCursor(whole.take(TAG.SEQUENCE));
  const material = derBits(whole.take(TAG.BIT_STRING));
  whole.end();
  const name = derOid(algorithm.take(TAG.OID));
  if (name === RSA_ENCRYPTION) {
    const numbers = new DerCursor(derWhole(material, TAG.SEQUENCE));
    const bits = derInteger(numbers.take(TAG.INTEGER)).toString(2).length;
    if (bits < LIMITS.RSA_BITS_MIN || bits > LIMITS.RSA_BITS_MAX) unsupportedStamp();
    return { curve: null };
  }
  const curve = algorithm.takeIf(TAG.OID);
  if (name !== EC_PUBLIC_KEY || !curve || !Object.hasOwn(CURVES, derOid(curve)) || material[0] !== 4) unsupportedStamp();
  return { curve: CURVES[derOid(curve)] };
}

// WebCrypto wants the two numbers of an ECDSA signature side by side.
function rawEcdsa(signature, bytes) {
  const numbers = new DerCursor(derWhole(signature, TAG.SEQUENCE));
  const pair = [0, 1].map(() => {
    const number = derInteger(numbers.take(TAG.INTEGER));
    const digits = number > 0n ? number.toString(16).padStart(bytes * 2, "0") : "";
    return digits.length === bytes * 2 ? fromHex(digits) : malformedStamp();
  });
  numbers.end();
  return joined(...pair);
}

function rsaScheme(name, parameters, digest) {
  if (Object.hasOwn(RSA_HASHES, name)) return ["RSASSA-PKCS1-v1_5", RSA_HASHES[name], 0];
  if (name === RSA_ENCRYPTION && Object.hasOwn(HASH_NAMES, digest)) return ["RSASSA-PKCS1-v1_5", HASH_NAMES[digest], 0];
  if (name === RSA_PSS && parameters.length === 1) return pssScheme(parameters[0]);
  return unsupportedStamp();
}

function pssScheme(parameters) {
  const fields = new DerCursor(expectTag(parameters, TAG.SEQUENCE));
  const [hashed, mask, salt] = [TAG.CONTEXT_0, TAG.CONTEXT_1, TAG.CONTEXT_2].map((tag) => fields.takeIf(tag));
  fields.end();
  // What is left out means SHA-1.
  if (!hashed || !mask || !salt) unsupportedStamp();
  const digest = hashName(derWhole(hashed.content, TAG.SEQUENCE));
  const generator = new DerCursor(derWhole(mask.content, TAG.SEQUENCE));
  if (derOid(generator.take(TAG.OID)) !== MGF1 || hashName(generator.take(TAG.SEQUENCE)) !== digest) unsupportedStamp();
  const saltBytes = derInteger(derWhole(salt.content, TAG.INTEGER));
  if (!Object.hasOwn(HASH_NAMES, digest) || saltBytes < 0n || saltBytes > 64n) unsupportedStamp();
  return ["RSA-PSS", HASH_NAMES[digest], Number(saltBytes)];
}

function hashName(algorithm) {
  const fields = new DerCursor(expectTag(algorithm, TAG.SEQUENCE));
  const name = derOid(fields.take(TAG.OID));
  const none = fields.takeIf(TAG.NULL);
  fields.end();
  if (none && none.content.length) malformedStamp();
  return name;
}

async function digestBy(name, data) {
  if (!Object.hasOwn(HASH_NAMES, name)) unsupportedStamp();
  return new Uint8Array(await crypto.subtle.digest(HASH_NAMES[name], data));
}

const BASIC_CONSTRAINTS = "2.5.29.19", KEY_USAGE = "2.5.29.15", EXTENDED_KEY_USAGE = "2.5.29.37";
const UNDERSTOOD = [BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE, "2.5.29.32"];
const TIME_STAMPING = "1.3.6.1.5.5.7.3.8", ANY_USAGE = "2.5.29.37.0";
const KEY_CERT_SIGN = 5, CHAIN_MAX = 8, CHAIN_SIGNATURES_MAX = 64;

function parseCertificate(raw) {
  const whole = new DerCursor(derWhole(raw, TAG.SEQUENCE));
  const [signed, algorithm] = [whole.take(TAG.SEQUENCE), whole.take(TAG.SEQUENCE)];
  const signature = whole.take(TAG.BIT_STRING);
  whole.end();
  const fields = new DerCursor(signed);
  fields.takeIf(TAG.CONTEXT_0);
  const serial = derInteger(fields.take(TAG.INTEGER));
  if (!sameBytes(fields.take(TAG.SEQUENCE).raw, algorithm.raw)) malformedStamp();
  const issuer = fields.take(TAG.SEQUENCE).raw;
  const validity = new DerCursor(fields.take(TAG.SEQUENCE));
  const [notBefore, notAfter] = [0, 1].map(() => derInstant(validity.take(TAG.UTC_TIME, TAG.GENERALIZED_TIME)).ms);
  validity.end();
  const [subject, key] = [fields.take(TAG.SEQUENCE).raw, fields.take(TAG.SEQUENCE).raw];
  fields.takeIf(0x81);
  fields.takeIf(0x82);
  const listed = fields.takeIf(TAG.CONTEXT_3);
  fields.end();
  const extensions = listed ? readExtensions(listed) : new Map();
  const made = { raw, signed: signed.raw, serial, issuer, subject, notBefore, notAfter, key, extensions, algorithm };
  return { ...made, signature: derBits(signature) };
}

function readExtensions(listed) {
  const found = new Map();
  for (const extension of derValues(derWhole(listed.content, TAG.SEQUENCE).content)) {
    const fields = new DerCursor(expectTag(extension, TAG.SEQUENCE));
    const name = derOid(fields.take(TAG.OID));
    const stated = fields.takeIf(TAG.BOOLEAN);
    const { content } = fields.take(TAG.OCTET_STRING);
    fields.end();
    if (found.has(name)) malformedStamp();
    found.set(name, { isCritical: stated !== null && derBoolean(stated), content });
  }
  return found;
}

// The certificates of a PEM file; null when there is none, or one is damaged.
function parseRoots(bytes) {
  if (bytes.length > LIMITS.ROOTS_BYTES_MAX) return null;
  const text = new TextDecoder("latin1").decode(bytes);
  const head = "-----BEGIN CERTIFICATE-----";
  const form = /-----BEGIN CERTIFICATE-----[ \t\n\r\f\v]([A-Za-z0-9+/= \t\n\r\f\v]+?)-----END CERTIFICATE-----/g;
  const blocks = Array.from(text.matchAll(form), (match) => match[1].replace(/[ \t\n\r\f\v]/g, ""));
  if (!blocks.length || blocks.length > LIMITS.ROOTS_MAX || blocks.length !== text.split(head).length - 1) return null;
  return parsed(() => blocks.map((block) => parseCertificate(parseBase64(block))));
}

const isValidAt = (certificate, at) => certificate.notBefore <= at && at <= certificate.notAfter;
const isUnderstood = ({ extensions }) =>
  Array.from(extensions).every(([name, { isCritical }]) => !isCritical || UNDERSTOOD.includes(name));
const purposesIn = (content) => derValues(derWhole(content, TAG.SEQUENCE).content).map(derOid);

// For time stamps and nothing else (RFC 3161, 2.3).
function checkPurpose({ extensions }) {
  const wrong = () => falseStamp("its certificate is not for time stamps alone, as a critical extension must say");
  const extended = extensions.get(EXTENDED_KEY_USAGE);
  if (!extended?.isCritical) wrong();
  const purposes = purposesIn(extended.content);
  if (purposes.length !== 1 || purposes[0] !== TIME_STAMPING) wrong();
  const usage = extensions.get(KEY_USAGE);
  if (!usage) return;
  const bits = Array.from(derFlags(derWhole(usage.content, TAG.BIT_STRING)));
  if (!bits.length || bits.some((bit) => bit > 1)) wrong();
}

// A believed root vouches for the signer at that time, over certificates that came along.
async function checkChain(signer, others, roots, at) {
  const search = { others, roots, at, signatures: 0 };
  const holds = isUnderstood(signer) && isValidAt(signer, at) && await leadsToRoot(search, signer, 0);
  if (!holds) falseStamp("no believed root vouches for its certificate at that time");
}

async function leadsToRoot(search, certificate, below) {
  for (const root of search.roots) if (await vouches(search, root, certificate, below)) return true;
  if (below + 1 >= CHAIN_MAX) return false;
  for (const other of search.others) {
    if (sameBytes(other.raw, certificate.raw)) continue;
    if (await vouches(search, other, certificate, below) && await leadsToRoot(search, other, below + 1)) return true;
  }
  return false;
}

async function vouches(search, issuer, certificate, below) {
  if (!sameBytes(issuer.subject, certificate.issuer) || !isValidAt(issuer, search.at) || !isUnderstood(issuer)) return false;
  if (!mayIssue(issuer, below) || search.signatures >= CHAIN_SIGNATURES_MAX) return false;
  search.signatures++;
  const { algorithm, signed: message, signature } = certificate;
  try {
    return await isSigned({ key: issuer.key, algorithm, digest: null, message, signature });
  } catch (error) {
    // What cannot be judged vouches for nothing; another way to a root may be there.
    if (!(error instanceof Refusal) || error.kind !== "stamp-false") throw error;
    return false;
  }
}

function mayIssue({ extensions }, below) {
  const constraints = extensions.get(BASIC_CONSTRAINTS)?.content ?? Uint8Array.of(0x30, 0);
  const fields = new DerCursor(derWhole(constraints, TAG.SEQUENCE));
  const stated = fields.takeIf(TAG.BOOLEAN);
  const isAuthority = stated !== null && derBoolean(stated);
  const limit = fields.takeIf(TAG.INTEGER);
  fields.end();
  if (!isAuthority || (limit && derInteger(limit) < BigInt(below))) return false;
  const usage = extensions.get(KEY_USAGE);
  if (usage && !derFlags(derWhole(usage.content, TAG.BIT_STRING)).has(KEY_CERT_SIGN)) return false;
  const purposes = extensions.get(EXTENDED_KEY_USAGE);
  return !purposes || purposesIn(purposes.content).some((one) => [TIME_STAMPING, ANY_USAGE].includes(one));
}
