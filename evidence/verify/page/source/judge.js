// The obligations: the twin of evidence/verify/judge.py, clip.py and times.py; see also dock.js. Each is judged even
// after another failed, as far as what it needs can be read.

function finding(code, subject, details = {}) {
  const meaning = FINDINGS[code];
  const all = meaning.obligation === null ? details : { obligation: meaning.obligation, ...details };
  return { code, severity: meaning.severity, subject, message: sentence(meaning.en, all), details: all };
}

// Fills a template as Python's str.format does, as far as the table uses it: {name} and {name:.N}.
function sentence(template, details) {
  return template.replace(/\{(\w+)(?::\.(\d+))?\}/g, (_, name, count) => {
    const text = pythonText(details[name]);
    return count === undefined ? text : text.slice(0, Number(count));
  });
}

async function verifyItem(item, policy, roots, progress) {
  const subject = `file:${item.name}`;
  const result = { file: item.path, sealed: null, index: null, checkpoint: null, note: null, hashes: null, entry: null, isExcerpt: false };
  const raw = item.receipt && await readAtMost(item.receipt, LIMITS.RECEIPT_BYTES_MAX);
  if (!raw) return concluded(result, [finding("receipt.missing", subject)], subject);
  let receipt;
  try {
    receipt = parseReceipt(raw);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return concluded(result, [finding("receipt.malformed", subject, { reason: error.message })], subject);
  }
  const found = [...judgeEntry(receipt, subject, result), ...await judgeLog(receipt, policy, subject, result)];
  if (result.sealed?.upload) found.push(finding("prefix.no_manifest", subject));
  else if (result.sealed) found.push(...await judgeDock(receipt, item.dock, policy, subject, result));
  if (result.note !== null) found.push(...await judgeTimes(item, result.note, roots, subject));
  result.isExcerpt = Boolean(item.excerpt && result.sealed?.digest);
  if (result.isExcerpt) found.push(...await judgeExcerpt(item, result, subject, progress));
  else if (result.sealed) found.push(...await judgeFile(item, result, subject, progress));
  return concluded(result, found, subject);
}

function concluded(result, found, subject) {
  const judged = new Set(found.map((one) => one.details.obligation));
  for (const number of Object.keys(STEPS).map(Number)) {
    if (!judged.has(number)) found.push(finding("step.skipped", subject, { obligation: number }));
  }
  // sort() keeps the order of equals.
  found.sort((left, right) => (left.details.obligation ?? 0) - (right.details.obligation ?? 0));
  return { ...result, findings: found, holds: found.every((one) => one.severity !== "error") };
}

// 4 and 5: what the entry commits to, and what it is about.
function judgeEntry(receipt, subject, result) {
  let entry;
  try {
    entry = decodeEntry(receipt.entry);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [finding("entry.malformed", subject, { reason: error.message })];
  }
  result.entry = entry;
  const commits = sameBytes(sha256(receipt.salt, utf8(receipt.payload)), entry.commit);
  const found = [finding(commits ? "met.payload" : "payload.not_committed", subject)];
  try {
    const sealed = result.sealed = readStated(entry, parsePayload(receipt.payload));
    found.push(sealed.upload
      ? finding("met.prefix_entry", subject, { type: entry.type, upload: sealed.upload })
      : finding("met.entry", subject, { type: entry.type, clip: sealed.clip }));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const code = error.kind === "mismatch" ? "entry.other_subject" : "payload.malformed";
    found.push(finding(code, subject, { reason: error.message }));
  }
  return found;
}

// 6 and 7: the place in the log, and who signed its state.
async function judgeLog(receipt, policy, subject, result) {
  let proof;
  try {
    proof = parseProof(receipt.proof);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [finding("log.proof_malformed", subject, { reason: error.message })];
  }
  result.index = plainNumber(proof.index);
  result.note = proof.checkpoint;
  let checkpoint;
  try {
    checkpoint = parseCheckpoint(parseNote(proof.checkpoint).text);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [finding("log.checkpoint_malformed", subject, { reason: error.message })];
  }
  result.checkpoint = checkpoint;
  const { index, path } = proof;
  const included = isIncluded(leafHash(utf8(receipt.entry)), index, checkpoint.size, path, checkpoint.root);
  const place = { index: plainNumber(index), log_size: plainNumber(checkpoint.size) };
  return [
    finding(included ? "met.inclusion" : "log.not_included", subject, place),
    await judgeSignatures(proof.checkpoint, policy, subject),
  ];
}

async function judgeSignatures(note, policy, subject) {
  try {
    const { checkpoint, cosigned } = await openCheckpoint(note, policy);
    const details = { origin: checkpoint.origin, cosigned: cosigned.length, witnesses: cosigned };
    return finding("met.checkpoint", subject, details);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.kind === "unsigned") return finding("log.checkpoint_unsigned", subject);
    if (error.kind === "silent") {
      return finding("log.key_retired", subject, { size: error.size, keys: error.keys });
    }
    if (error.kind === "unmet") return finding("log.quorum_unmet", subject, { missing: error.missing });
    if (error.kind === "unsupported") return finding("page.signature_unsupported", subject, { kind: error.message });
    return finding("log.checkpoint_false", subject, { reason: error.message });
  }
}

// 9: when the checkpoint existed, by the word of strangers' clocks.
async function judgeTimes(item, note, roots, subject) {
  const found = [];
  const checkpoint = item.checkpoint && await readAtMost(item.checkpoint, LIMITS.PROOF_BYTES_MAX);
  if (checkpoint && !sameBytes(checkpoint, utf8(note))) found.push(finding("time.checkpoint_differs", subject));
  for (const [authority, file] of item.stamps) {
    const raw = await readAtMost(file, LIMITS.RESPONSE_BYTES_MAX);
    found.push(await judgeTime(authority, raw, utf8(note), roots, subject));
  }
  return found.some((one) => one.code !== "time.checkpoint_differs") ? found : [...found, finding("time.none", subject)];
}

async function judgeTime(authority, raw, data, roots, subject) {
  try {
    const said = await judgeStamp(raw, data, roots);
    return finding(roots ? "met.time" : "time.trust_owed", subject, { authority, ...said });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.kind === "stamp-other") return finding("time.of_other_data", subject, { authority });
    const code = error.kind === "stamp-false" ? "time.false" : "time.malformed";
    return finding(code, subject, { authority, reason: error.message });
  }
}

// 1 to 3: size, clip tree, digest of the whole file.
async function judgeFile(item, result, subject, progress) {
  if (!item.original) return [finding("file.missing", subject, { offset: 0, reason: "No such file or directory" })];
  let hashes;
  try {
    hashes = await hashElsewhere(item.original, progress);
  } catch (error) {
    if (!(error instanceof FileUnreadable)) throw error;
    const code = error.missing ? "file.missing" : "file.unreadable";
    return [finding(code, subject, { offset: error.offset, reason: error.message })];
  }
  result.hashes = hashes;
  const leaves = item.leaves && await readAtMost(item.leaves, LIMITS.LEAVES_BYTES_MAX);
  if (result.sealed.upload) return judgeBeginning(result.sealed, hashes, leaves, subject);
  const digest = result.sealed.digest;
  const size = hashes.size === digest.size
    ? finding("met.file", subject, { size: hashes.size })
    : finding("file.size_differs", subject, { actual_bytes: hashes.size, stated_bytes: digest.size });
  const whole = sameBytes(hashes.sha256, digest.sha256)
    ? finding("met.sha256", subject)
    : finding("clip.sha256_differs", subject, { actual: hex(hashes.sha256), stated: hex(digest.sha256) });
  // No browser computes SM3; what is not checked is said.
  const third = digest.sm3 ? [finding("clip.sm3_not_checked", subject)] : [];
  return [size, ...judgeTree(digest, hashes, leaves, subject), whole, ...third];
}

function judgeTree(digest, hashes, leaves, subject) {
  const isTree = (list) => list.length === digest.chunks && sameBytes(rootOf(list), digest.root);
  const split = leaves && splitLeaves(leaves);
  const proved = split && isTree(split) ? split : null;
  const found = leaves && !proved ? [finding("leaves.not_proved", subject)] : [];
  if (isTree(hashes.leaves)) return [...found, finding("met.tree", subject, { chunks: digest.chunks })];
  if (!proved) return [...found, finding("clip.root_differs", subject)];
  const where = locate(digest.size, hashes, proved);
  return [...found, finding("clip.chunks_differ", subject, { chunks: digest.chunks, ...where })];
}

const splitLeaves = (leaves) => Array.from({ length: Math.ceil(leaves.length / 32) },
  (_, index) => leaves.subarray(index * 32, index * 32 + 32));

// 1 to 3 of a file whose beginning alone is on record; says what of it is not.
function judgeBeginning(beginning, hashes, leaves, subject) {
  const sealed = beginning.size;
  const found = [finding("prefix.no_sha256", subject), hashes.size < sealed
    ? finding("prefix.file_shorter", subject, { actual_bytes: hashes.size, stated_bytes: sealed })
    : finding("met.prefix_file", subject, { size: hashes.size, sealed })];
  found.push(...judgeBeginningTree(beginning, hashes, leaves, subject));
  if (hashes.size > sealed) {
    const rest = { first_byte: sealed, last_byte: hashes.size - 1, bytes: hashes.size - sealed };
    found.push(finding("prefix.rest_unproven", subject, rest));
  }
  return found;
}

function judgeBeginningTree({ size, chunks, root }, hashes, leaves, subject) {
  const isTree = (list) => list.length === chunks && sameBytes(rootOf(list), root);
  const begun = leaves && splitLeaves(leaves.subarray(0, chunks * 32));
  const proved = begun && isTree(begun) ? begun : null;
  const found = leaves && !proved ? [finding("leaves.not_proved", subject)] : [];
  const head = { size: Math.min(hashes.size, size), leaves: hashes.leaves.slice(0, chunks) };
  if (isTree(head.leaves)) return [...found, finding("met.prefix", subject, { chunks, sealed: size })];
  if (!proved) return [...found, finding("prefix.root_differs", subject, { chunks })];
  return [...found, finding("prefix.chunks_differ", subject, { chunks, ...locate(size, head, proved) })];
}

// Where a file differs from what was sealed; what is missing or added counts as different.
function locate(size, hashes, proved) {
  const end = Math.max(size, hashes.size);
  const runs = [];
  let differing = 0;
  for (let index = 0; index < Math.max(proved.length, hashes.leaves.length); index++) {
    const [left, right] = [proved[index], hashes.leaves[index]];
    if (left && right && sameBytes(left, right)) continue;
    differing++;
    if (runs.length && runs.at(-1)[1] === index - 1) runs.at(-1)[1] = index;
    else runs.push([index, index]);
  }
  const ranges = runs.slice(0, LIMITS.PLACES_MAX).map(([first, last]) => ({
    first_byte: first * CHUNK_BYTES,
    last_byte: Math.min((last + 1) * CHUNK_BYTES, end) - 1,
    first_chunk: first,
    last_chunk: last,
  }));
  const places = ranges.map((place) => `${place.first_byte}-${place.last_byte}`).join(", ");
  return { differing, places: runs.length > ranges.length ? `${places}, ...` : places, ranges };
}

async function readAtMost(file, bytesMax) {
  // One byte beyond the limit, so that a parser sees the excess.
  return new Uint8Array(await file.slice(0, bytesMax + 1).arrayBuffer());
}

// The one place that may turn a text into a script, see the page's Content-Security-Policy.
const WORKER_ADDRESSES = self.trustedTypes?.createPolicy("shilu-worker", { createScriptURL: (address) => address });

// Hashing in a worker keeps the page alive; a browser that gives a local page no worker hashes here.
function hashElsewhere(file, progress) {
  // What is read over a network is no file, and cannot be handed to this worker; it may bring one of its own.
  if (!(file instanceof Blob)) return file.hashed ? file.hashed(progress) : hashFile(file, progress);
  return new Promise((resolve, reject) => {
    const address = URL.createObjectURL(new Blob([engineSource()], { type: "text/javascript" }));
    const url = WORKER_ADDRESSES ? WORKER_ADDRESSES.createScriptURL(address) : address;
    let worker = null, started = false;
    const finish = (settle, value) => {
      worker?.terminate();
      URL.revokeObjectURL(address);
      settle(value);
    };
    const here = () => hashFile(file, progress).then((value) => finish(resolve, value), (e) => finish(reject, e));
    try {
      worker = new Worker(url);
    } catch {
      here();
      return;
    }
    worker.onerror = (event) => {
      if (started) finish(reject, new Error(event.message));
      else { worker.terminate(); worker = null; here(); }
    };
    worker.onmessage = ({ data }) => {
      if (data.ready) { started = true; worker.postMessage(file); }
      else if (data.hashes) finish(resolve, data.hashes);
      else if (data.unreadable) finish(reject, unreadable(data.unreadable));
      else progress(data.done, data.total);
    };
  });
}

function unreadable({ offset, reason, missing }) {
  return Object.assign(new FileUnreadable(offset, new Error(reason)), { missing });
}

const engineSource = () => `"use strict";\n${document.getElementById("engine").textContent}\nserveHashing();\n`;
