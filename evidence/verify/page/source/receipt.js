// Proofs, receipts and sealed clips: the twins of ledger/proof.py, ledger/tree.py, evidence/core/wire/receipt.py,
// sealed.py and clip_digest.py.

const PROOF_HEAD =
  /^c2sp\.org\/tlog-proof@v1\n(?:extra ([^\n]*)\n)?index ([0-9]+)\n((?:[A-Za-z0-9+/]{43}=\n){0,63})\n/;

function parseProof(text) {
  const length = utf8(text).length;
  if (length > LIMITS.PROOF_BYTES_MAX) {
    refuse("proof", `a proof has at most ${LIMITS.PROOF_BYTES_MAX} bytes, not ${length}`);
  }
  const head = PROOF_HEAD.exec(text);
  if (!head || head[0].length === text.length) {
    refuse("proof", "not a tlog-proof of version 1: its lines in their order, an empty line, a checkpoint");
  }
  try {
    if (head[1] !== undefined) parseBase64(head[1]); // never trusted, but spelt right
    const path = head[3].split("\n").slice(0, -1).map(parseBase64);
    return { index: parseDecimal(head[2], SIZE_MAX - 1n), path, checkpoint: text.slice(head[0].length) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return refuse("proof", "the index, a hash or the extra data is misspelt");
  }
}

const leafHash = (bytes) => sha256(Uint8Array.of(0), bytes);
const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right);

// RFC 6962: whether the leaf stands at `index` in the tree of `size` leaves with this root. Sizes are BigInt.
function isIncluded(leaf, index, size, path, root) {
  if (index < 0n || index >= size) return false;
  const isLeftSibling = []; // from the root down
  for (let low = 0n, high = size; high - low > 1n;) {
    const middle = low + (1n << BigInt((high - low - 1n).toString(2).length - 1));
    isLeftSibling.push(index >= middle);
    if (index >= middle) low = middle; else high = middle;
  }
  if (path.length !== isLeftSibling.length || path.some((hash) => hash.length !== 32)) return false;
  let value = leaf;
  path.forEach((sibling, level) => {
    value = isLeftSibling.at(-1 - level) ? nodeHash(sibling, value) : nodeHash(value, sibling);
  });
  return sameBytes(value, root);
}

function rootOf(leaves) {
  let row = leaves;
  while (row.length > 1) {
    const above = [];
    for (let i = 0; i + 1 < row.length; i += 2) above.push(nodeHash(row[i], row[i + 1]));
    // A node without a right neighbour moves up unchanged.
    if (row.length % 2) above.push(row.at(-1));
    row = above;
  }
  return row.length ? row[0] : EMPTY_ROOT;
}

const RECEIPT_VERSION = "shilu/receipt/v1";
const RECEIPT_NAMES = ["entry", "payload", "proof", "salt"];

function parseReceipt(bytes) {
  if (bytes.length > LIMITS.RECEIPT_BYTES_MAX) {
    refuse("wire", `the receipt has ${bytes.length} bytes, at most ${LIMITS.RECEIPT_BYTES_MAX} are allowed`);
  }
  let text;
  try {
    text = fromUtf8(bytes);
  } catch {
    refuse("wire", "the receipt is not UTF-8");
  }
  const body = parseVersioned(text, RECEIPT_VERSION, LIMITS.RECEIPT_BYTES_MAX);
  if (!isObject(body)) refuse("wire", "receipt is not an object");
  const missing = RECEIPT_NAMES.filter((name) => !Object.hasOwn(body, name));
  if (missing.length) refuse("wire", `receipt lacks ${pythonRepr(missing[0])}`);
  const unknown = Object.keys(body).filter((name) => !RECEIPT_NAMES.includes(name)).sort();
  if (unknown.length) refuse("wire", `receipt has the unknown field ${pythonRepr(cut(unknown[0]))}`);
  const [entry, payload] = [takeText(body.entry, "entry"), takeText(body.payload, "payload")];
  const salt = takeSalt(takeText(body.salt, "salt"));
  const proof = takeText(body.proof, "proof");
  if (salt.length !== LIMITS.SALT_BYTES) {
    refuse("wire", `the salt has ${salt.length} bytes instead of ${LIMITS.SALT_BYTES}`);
  }
  const payloadBytes = utf8(payload).length;
  if (payloadBytes > LIMITS.PAYLOAD_BYTES_MAX) {
    refuse("wire", `the payload has ${payloadBytes} bytes, at most ${LIMITS.PAYLOAD_BYTES_MAX} are allowed`);
  }
  return { entry, payload, salt, proof };
}

const cut = (text) => Array.from(text).slice(0, 40).join("");

function parseVersioned(text, version, bytesMax) {
  const end = text.indexOf("\n");
  const head = end < 0 ? text : text.slice(0, end), rest = end < 0 ? "" : text.slice(end + 1);
  if (head !== version) {
    refuse("wire", `expected ${pythonRepr(version)}, got ${pythonRepr(cut(head))}`);
  }
  if (end < 0 || !rest.endsWith("\n") || rest.slice(0, -1).includes("\n")) {
    refuse("wire", "a statement is one version line and one line of JSON");
  }
  try {
    return parseCanonical(rest.slice(0, -1), bytesMax);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return refuse("wire", `the body is not canonical JSON: ${error.message}`);
  }
}

const takeText = (value, where) => (typeof value === "string" ? value : refuse("wire", `${where} is not a string`));

function takeSalt(text) {
  return parsed(() => parseBase64(text)) ?? refuse("wire", "the salt is not base64 in its one spelling");
}

function takeUuid(value, where) {
  const text = takeText(value, where);
  if (!isUuidAtAll(text)) refuse("wire", `${where} is not a UUID`);
  if (!UUID_SPELLING.test(text)) refuse("wire", `${where} is not a UUID in lower case with hyphens`);
  return text;
}

function takeInteger(value, where) {
  return Number.isSafeInteger(value) ? value : refuse("wire", `${where} is not an integer`);
}

function takeDigest(value, where) {
  if (!/^[0-9a-f]{64}$/.test(takeText(value, where))) {
    refuse("wire", `${where} is not a digest of 64 lower-case hex digits`);
  }
  return fromHex(value);
}

function parsePayload(text) {
  let value;
  try {
    value = parseCanonical(text, LIMITS.PAYLOAD_BYTES_MAX);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refuse("wire", `the payload is not canonical JSON: ${error.message}`);
  }
  if (!isObject(value)) refuse("wire", "the payload is not an object");
  return value;
}

// What an entry seals, a clip or the beginning of a file that was still being written.
const readStated = (entry, payload) =>
  (entry.type === "clip.prefix" ? readBeginning(entry, payload) : readSealed(entry, payload));

function readBeginning(entry, payload) {
  const missing = ["chunk_size", "chunks", "name", "root", "size", "upload"]
    .filter((name) => !Object.hasOwn(payload, name));
  if (missing.length) refuse("wire", `the payload lacks ${pythonRepr(missing[0])}`);
  const upload = takeUuid(payload.upload, "upload");
  if (entry.subject !== `upload:${upload}`) {
    refuse("mismatch", `the entry is about ${pythonRepr(entry.subject)}, its payload about upload ${upload}`);
  }
  const chunkBytes = takeInteger(payload.chunk_size, "chunk_size");
  const beginning = {
    upload,
    name: takeText(payload.name, "name"),
    size: takeInteger(payload.size, "size"),
    chunks: takeInteger(payload.chunks, "chunks"),
    root: takeDigest(payload.root, "root"),
    payload,
  };
  const { size, chunks } = beginning;
  if (size < 1) refuse("wire", `size is ${size}, allowed are 1 to ${Number.MAX_SAFE_INTEGER}`);
  if (chunkBytes !== CHUNK_BYTES) refuse("wire", `chunk_size is ${chunkBytes}, this version has ${CHUNK_BYTES}`);
  if (size !== chunks * CHUNK_BYTES) refuse("wire", `${size} bytes are not ${chunks} whole chunks`);
  return beginning;
}

function readSealed(entry, payload) {
  if (!["clip.sealed", "clip.repeated"].includes(entry.type)) {
    refuse("mismatch", `the entry is a ${pythonRepr(entry.type)} and seals no clip`);
  }
  const missing = ["clip", "name"].filter((name) => !Object.hasOwn(payload, name));
  if (missing.length) refuse("wire", `the payload lacks ${pythonRepr(missing[0])}`);
  const clip = takeUuid(payload.clip, "clip");
  if (entry.subject !== `clip:${clip}`) {
    refuse("mismatch", `the entry is about ${pythonRepr(entry.subject)}, its payload about clip ${clip}`);
  }
  return { clip, name: takeText(payload.name, "name"), digest: takeClipDigest(payload), payload };
}

function takeClipDigest(body) {
  const missing = ["chunk_size", "chunks", "root", "sha256", "size"].filter((name) => !Object.hasOwn(body, name));
  if (missing.length) refuse("wire", `the digest lacks ${pythonRepr(missing[0])}`);
  const digest = {
    size: takeInteger(body.size, "size"),
    chunkBytes: takeInteger(body.chunk_size, "chunk_size"),
    chunks: takeInteger(body.chunks, "chunks"),
    root: takeDigest(body.root, "root"),
    sha256: takeDigest(body.sha256, "sha256"),
    sm3: (body.sm3 ?? null) === null ? null : takeDigest(body.sm3, "sm3"),
  };
  if (digest.size < 1) refuse("wire", `size is ${digest.size}, allowed are 1 to ${Number.MAX_SAFE_INTEGER}`);
  if (digest.chunkBytes !== CHUNK_BYTES) {
    refuse("wire", `chunk_size is ${digest.chunkBytes}, this version has ${CHUNK_BYTES}`);
  }
  if (digest.chunks !== Math.ceil(digest.size / CHUNK_BYTES)) {
    refuse("wire", `${digest.size} bytes do not make ${digest.chunks} chunks`);
  }
  return digest;
}
