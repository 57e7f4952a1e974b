// Obligation 8, the dock's signature: the twin of evidence/verify/docks.py. Statements are written down from the payload
// and compared as text, so nothing of them is parsed.

const MANIFEST_VERSION = "shilu/manifest/v1", DOCK_KEY_VERSION = "shilu/dock-key/v1";
const CHAIN_FORM = "not one or more receipts of two lines each";

async function judgeDock(receipt, chain, policy, subject, result) {
  const payload = result.sealed.payload;
  const dock = payload.dock ?? null;
  if (dock === null) return [finding("dock.not_applicable", subject)];
  const [found, note] = judgeManifest(payload, subject);
  if (note === null) return found;
  if (!chain) return [...found, finding("dock.not_shown", subject, { dock })];
  let receipts;
  try {
    receipts = parseChain(await readAtMost(chain, LIMITS.DOCK_BYTES_MAX));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [...found, finding("dock.malformed", subject, { reason: error.message })];
  }
  try {
    const keys = await chainKeys(receipts, dock, policy, subject, result);
    const signed = await judgeSigner(note, keys, subject, dock);
    return signed.severity !== "ok" || !found.length ? [...found, signed] : found;
  } catch (error) {
    if (error instanceof DockProblem) return [...found, finding(error.code, subject, error.details)];
    if (!(error instanceof Refusal) || error.kind !== "unsupported") throw error;
    return [...found, finding("page.dock_unsupported", subject, { kind: error.message })];
  }
}

class DockProblem extends Error {
  constructor(code, details) {
    super(code);
    this.code = code;
    this.details = details;
  }
}

function parseChain(bytes) {
  if (bytes.length > LIMITS.DOCK_BYTES_MAX) refuse("wire", `more than ${LIMITS.DOCK_BYTES_MAX} bytes`);
  const ends = [];
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) ends.push(at + 1);
  if (!ends.length || ends.at(-1) !== bytes.length || ends.length % 2) refuse("wire", CHAIN_FORM);
  if (ends.length > 2 * LIMITS.DOCK_ENTRIES_MAX) refuse("wire", `more than ${LIMITS.DOCK_ENTRIES_MAX} receipts`);
  const pairs = [];
  for (let i = 1; i < ends.length; i += 2) pairs.push(bytes.subarray(i > 1 ? ends[i - 2] : 0, ends[i]));
  const head = utf8(`${RECEIPT_VERSION}\n`);
  if (pairs.some((pair) => !sameBytes(pair.subarray(0, head.length), head))) refuse("wire", CHAIN_FORM);
  return pairs.map(parseReceipt);
}

// What a statement must say; null when nothing could say it.
const statementText = (body, version) => parsed(() => `${version}\n${canonicalJson(body, LIMITS.DEPTH_MAX)}\n`);

function judgeManifest(payload, subject) {
  if (typeof payload.manifest !== "string" || typeof payload.dock !== "string") {
    return [[finding("dock.manifest_missing", subject)], null];
  }
  const note = parsed(() => parseNote(payload.manifest));
  if (note === null) return [[finding("dock.manifest_malformed", subject)], null];
  const pick = (names) => Object.fromEntries(names.map((name) => [name, payload[name] ?? null]));
  const body = {
    ...pick(["dock", "upload", "inventory", "recorder", "path"]),
    raw: Object.hasOwn(payload, "raw") ? payload.raw : false,
    digest: pick(["size", "chunk_size", "chunks", "root", "sha256"]),
  };
  const agrees = note.text === statementText(body, MANIFEST_VERSION);
  return [agrees ? [] : [finding("dock.manifest_differs", subject)], note];
}

async function judgeSigner(note, keys, subject, dock) {
  const sequence = keys.length - 1;
  if (await isSignedBy(note, [keys.at(-1)])) return finding("met.dock", subject, { dock, sequence });
  for (const key of keys.slice(0, -1)) {
    if (await isSignedBy(note, [key])) return finding("dock.key_superseded", subject, { sequence });
  }
  return finding("dock.manifest_unsigned", subject, { dock });
}

// Whether every one of the keys signed, and none of their lines is false.
async function isSignedBy(note, keys) {
  try {
    const proofs = await openNote(note, keys);
    return keys.every((key) => proofs.some(([signer]) => signer.vkey === key.vkey));
  } catch (error) {
    if (!(error instanceof Refusal) || error.kind === "unsupported") throw error;
    return false;
  }
}

// The dock's keys in their order, each entry judged against those before it.
async function chainKeys(receipts, dock, policy, subject, result) {
  const keys = [];
  let last = -1n;
  for (const [place, receipt] of receipts.entries()) {
    const problem = (code, details = {}) => { throw new DockProblem(code, { number: place + 1, ...details }); };
    const { entry, payload, index, checkpoint } = await proveEntry(receipt, policy, subject, problem);
    const clip = result.checkpoint;
    if (clip && (checkpoint.origin !== clip.origin
      || (checkpoint.size === clip.size && !sameBytes(checkpoint.root, clip.root)))) problem("dock.other_log");
    if (entry.subject !== `dock:${dock}`) problem("dock.other_dock", { about: entry.subject });
    if (index <= last || (result.index !== null && index >= BigInt(result.index))) {
      problem("dock.out_of_order", { index: plainNumber(index) });
    }
    last = index;
    keys.push(await nextKey(entry, payload, dock, keys) ?? problem("dock.chain_broken"));
  }
  return keys;
}

async function proveEntry(receipt, policy, subject, problem) {
  const unproved = (cause) => problem("dock.entry_unproved", { cause });
  const entry = parsed(() => decodeEntry(receipt.entry)) ?? unproved("entry.malformed");
  const payload = parsed(() => parsePayload(receipt.payload)) ?? unproved("payload.malformed");
  if (!sameBytes(sha256(receipt.salt, utf8(receipt.payload)), entry.commit)) unproved("payload.not_committed");
  const read = { index: null, checkpoint: null };
  const failed = (await judgeLog(receipt, policy, subject, read)).find((one) => one.severity === "error");
  if (failed) unproved(failed.code);
  return { entry, payload, index: BigInt(read.index), checkpoint: read.checkpoint };
}

async function nextKey(entry, payload, dock, keys) {
  if (entry.type !== (keys.length ? "dock.key_rotated" : "dock.enrolled") || payload.dock !== dock) return null;
  const key = parsed(() => parsePublicKey(typeof payload.vkey === "string" ? payload.vkey : ""));
  if (key === null || key.type !== ED25519 || key.name !== `dock.${dock}`) return null;
  return !keys.length || await isChange(payload, keys.at(-1), key, keys.length) ? key : null;
}

async function isChange(payload, old, next, sequence) {
  const note = parsed(() => parseNote(typeof payload.note === "string" ? payload.note : ""));
  if (note === null || payload.sequence !== sequence) return false;
  const text = statementText({ dock: entryDock(old), sequence, old: old.vkey, new: next.vkey }, DOCK_KEY_VERSION);
  const isLineOf = (line, key) => line.name === key.name && sameBytes(line.keyId, key.keyId);
  const [first, second, ...more] = note.signatures;
  return note.text === text && Boolean(second) && !more.length && isLineOf(first, old) && isLineOf(second, next)
    && isSignedBy(note, [old, next]);
}

const entryDock = (key) => key.name.slice("dock.".length);
