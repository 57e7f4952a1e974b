// Excerpts: the twins of evidence/verify/excerpt_statement.py and excerpt.py, and of check_range in ledger/tree.py.

const EXCERPT_VERSION = "shilu/excerpt/v1", SPANS_VERSION = "shilu/excerpt/v2";

function parseExcerpt(bytes) {
  if (bytes.length > LIMITS.EXCERPT_BYTES_MAX) refuse("wire", `more than ${LIMITS.EXCERPT_BYTES_MAX} bytes`);
  let text;
  try {
    text = fromUtf8(bytes);
  } catch {
    refuse("wire", "the excerpt's statement is not UTF-8");
  }
  const several = text.startsWith(`${SPANS_VERSION}\n`);
  const parsedBody = parseVersioned(text, several ? SPANS_VERSION : EXCERPT_VERSION, LIMITS.EXCERPT_BYTES_MAX);
  const names = several ? ["clip", "cut", "runs", "size", "spans"] : ["asked", "clip", "cut", "runs", "shown", "size"];
  const body = takeObject(parsedBody, names, "excerpt");
  const spans = several ? takeSpans(body.spans) : [takeTold(body)];
  const statement = {
    clip: takeUuid(body.clip, "clip"),
    size: takeInteger(body.size, "size"),
    runs: takeList(body.runs, "runs", LIMITS.RUNS_MAX).map(takeRun),
    spans,
    cut: body.cut === null ? null : takeCut(body.cut),
  };
  checkInteger(statement.size, "size", 1);
  for (const [place, { asked }] of spans.slice(1).entries()) {
    if (asked.from_ms < spans[place].asked.to_ms) refuse("wire", "spans overlap, or are out of order");
  }
  statement.chunks = Math.ceil(statement.size / CHUNK_BYTES);
  checkRuns(statement);
  return statement;
}

function checkRuns({ runs, chunks }) {
  if (!runs.length || runs.length > LIMITS.RUNS_MAX) {
    refuse("wire", `${runs.length} runs, allowed are 1 to ${LIMITS.RUNS_MAX}`);
  }
  let behind = -1;
  for (const run of runs) {
    checkInteger(run.chunks, "chunks", 1);
    checkInteger(run.first, "first");
    if (run.first <= behind) refuse("wire", "runs overlap, touch, or are out of order");
    if (BigInt(run.first) + BigInt(run.chunks) > chunks) {
      refuse("wire", `a run ends at chunk ${BigInt(run.first) + BigInt(run.chunks)} of ${chunks}`);
    }
    if (run.proof.length > LIMITS.PROOF_HASHES_MAX) {
      refuse("wire", `a proof has ${run.proof.length} hashes, at most ${LIMITS.PROOF_HASHES_MAX} are allowed`);
    }
    behind = run.stop = run.first + run.chunks;
  }
}

function takeRun(value) {
  const body = takeObject(value, ["chunks", "first", "proof"], "run");
  const hashes = takeList(body.proof, "proof", LIMITS.PROOF_HASHES_MAX);
  return {
    first: takeInteger(body.first, "first"),
    chunks: takeInteger(body.chunks, "chunks"),
    proof: hashes.map((hash) => takeDigest(hash, "hash")),
  };
}

function takeSpans(value) {
  const listed = takeList(value, "spans", LIMITS.SPANS_MAX);
  if (listed.length < 2) refuse("wire", "fewer than two spans: there is another way to say that");
  return listed.map((one) => takeTold(takeObject(one, ["asked", "shown"], "span")));
}

const takeTold = ({ asked, shown }) => ({
  asked: takeSpan(asked, "asked"),
  shown: shown === null ? null : takeSpan(shown, "shown"),
});

function takeSpan(value, where) {
  const body = takeObject(value, ["from_ms", "to_ms"], where);
  const span = { from_ms: takeInteger(body.from_ms, "from_ms"), to_ms: takeInteger(body.to_ms, "to_ms") };
  checkInteger(span.from_ms, "from_ms");
  checkInteger(span.to_ms, "to_ms", span.from_ms + 1);
  return span;
}

function takeCut(value) {
  const body = takeObject(value, ["name", "sha256", "size"], "cut");
  const name = takeText(body.name, "name"), length = Array.from(name).length;
  // A name that leads out of the folder, or is no name, would have the reader look at another file.
  if (!length || length > LIMITS.CUT_NAME_CHARS_MAX || [".", ".."].includes(name) || /[/\\\0]/.test(name)) {
    refuse("wire", "the name of the cut is not that of a file beside the excerpt");
  }
  const size = takeInteger(body.size, "size");
  checkInteger(size, "size", 1);
  return { name, sha256: takeDigest(body.sha256, "sha256"), size };
}

function takeObject(value, names, where) {
  if (!isObject(value)) refuse("wire", `${where} is not an object`);
  const missing = names.filter((name) => !Object.hasOwn(value, name));
  if (missing.length) refuse("wire", `${where} lacks ${pythonRepr(missing[0])}`);
  const unknown = Object.keys(value).filter((name) => !names.includes(name)).sort();
  if (unknown.length) refuse("wire", `${where} has the unknown field ${pythonRepr(cut(unknown[0]))}`);
  return value;
}

function takeList(value, where, countMax) {
  if (!Array.isArray(value)) refuse("wire", `${where} is not an array`);
  if (value.length > countMax) {
    refuse("wire", `${where} has ${value.length} items, at most ${countMax} are allowed`);
  }
  return value;
}

function checkInteger(value, where, low = 0) {
  if (value < low || value > Number.MAX_SAFE_INTEGER) {
    refuse("wire", `${where} is ${value}, allowed are ${low} to ${Number.MAX_SAFE_INTEGER}`);
  }
}

// 1 to 3 of an excerpt; what was left out follows from what is proved to lie there.
async function judgeExcerpt(item, result, subject, progress) {
  const found = [finding("excerpt.no_sha256", subject)];
  const sealed = result.sealed;
  let statement;
  try {
    statement = parseExcerpt(await readAtMost(item.excerpt, LIMITS.EXCERPT_BYTES_MAX));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [...found, finding("excerpt.malformed", subject, { reason: error.message })];
  }
  if (statement.clip !== sealed.clip || statement.size !== sealed.digest.size) {
    return [...found, finding("excerpt.other_clip", subject, { clip: statement.clip, size: statement.size })];
  }
  let lying;
  try {
    lying = await judgeChunks(item.chunks, statement, result, subject, progress);
  } catch (error) {
    if (!(error instanceof FileUnreadable)) throw error;
    const code = error.missing ? "file.missing" : "file.unreadable";
    return [...found, finding(code, subject, { offset: error.offset, reason: error.message })];
  }
  found.push(...lying);
  if (lying.some((one) => one.severity === "error")) return found;
  found.push(...toldOf(statement, subject));
  if (statement.cut) found.push(await judgeCut(item.beside(statement.cut.name), statement.cut, subject));
  return found;
}

async function judgeChunks(file, statement, result, subject, progress) {
  const held = statement.runs.reduce((sum, run) => sum + bytesOf(statement, run.first, run.stop), 0);
  if (!file) throw unreadable({ offset: 0, reason: "No such file or directory", missing: true });
  // Before a single hash: a statement may speak of more chunks than anybody would want to read.
  if (file.size !== held) {
    return [finding("excerpt.bytes_differ", subject, { actual_bytes: file.size, stated_bytes: held })];
  }
  // Only a clip's last chunk may be short, so the chunks of this file are those of the clip.
  const hashes = result.hashes = await hashElsewhere(file, progress);
  const unproved = [];
  let next = 0;
  for (const run of statement.runs) {
    const leaves = hashes.leaves.slice(next, next += run.chunks);
    if (!isRange(leaves, run.first, statement.chunks, run.proof, result.sealed.digest.root)) unproved.push(run);
  }
  const chunks = statement.runs.reduce((sum, run) => sum + run.chunks, 0), of = statement.chunks;
  const found = [finding("met.excerpt", subject, { chunks, of, bytes: held, size: statement.size })];
  if (!unproved.length) {
    return [...found, finding("met.excerpt_tree", subject, { chunks, of, runs: statement.runs.length })];
  }
  const where = placesOf(statement, unproved.map((run) => [run.first, run.stop]));
  return [...found, finding("excerpt.not_proved", subject, { unproved: unproved.length, ...where })];
}

const bytesOf = ({ size }, first, stop) => Math.min(stop * CHUNK_BYTES, size) - first * CHUNK_BYTES;

// RFC 6962: whether these leaves stand one after another from `start` on in the tree of `size` leaves with this root.
function isRange(leaves, start, size, proof, root) {
  const [begin, end, all] = [BigInt(start), BigInt(start + leaves.length), BigInt(size)];
  if (begin >= end || end > all) return false;
  const left = perfectLevels(0n, begin), right = perfectLevels(end, all);
  if (proof.length !== left.length + right.length) return false;
  const frontier = proof.slice(0, left.length);
  let count = begin;
  const append = (value, level) => {
    let full = count >> level, hash = value;
    for (; full & 1n; full >>= 1n) hash = nodeHash(frontier.pop(), hash);
    frontier.push(hash);
    count += 1n << level;
  };
  for (const leaf of leaves) append(leaf, 0n);
  right.forEach((level, number) => append(proof[left.length + number], level));
  return sameBytes(frontier.reduceRight((value, above) => nodeHash(above, value)), root);
}

// The levels of the fewest perfect subtrees that cover the leaves from `start` to before `end`.
function perfectLevels(start, end) {
  const levels = [];
  for (let at = start; at < end;) {
    let level = BigInt((end - at).toString(2).length - 1);
    while (at % (1n << level)) level--;
    levels.push(level);
    at += 1n << level;
  }
  return levels;
}

function toldOf(statement, subject) {
  const starts = [0, ...statement.runs.map((run) => run.stop)];
  const stops = [...statement.runs.map((run) => run.first), statement.chunks];
  const leftOut = starts.map((start, number) => [start, stops[number]]).filter(([start, stop]) => start < stop);
  const bytes = leftOut.reduce((sum, place) => sum + bytesOf(statement, ...place), 0);
  const chunks = leftOut.reduce((sum, [first, stop]) => sum + stop - first, 0);
  const told = leftOut.length
    ? finding("excerpt.left_out", subject, { bytes, chunks, ...placesOf(statement, leftOut) })
    : finding("excerpt.whole", subject);
  return [told, ...statement.spans.map((one) => secondsOf(one, subject))];
}

function secondsOf({ asked, shown }, subject) {
  const words = {
    asked_from: clockOf(asked.from_ms),
    asked_to: clockOf(asked.to_ms),
    asked_from_ms: asked.from_ms,
    asked_to_ms: asked.to_ms,
  };
  if (shown === null) return finding("excerpt.seconds_unknown", subject, words);
  return finding("excerpt.seconds", subject, {
    ...words,
    shown_from: clockOf(shown.from_ms),
    shown_to: clockOf(shown.to_ms),
    shown_from_ms: shown.from_ms,
    shown_to_ms: shown.to_ms,
  });
}

function placesOf(statement, places) {
  const ranges = places.slice(0, LIMITS.PLACES_MAX).map(([first, stop]) => ({
    first_byte: first * CHUNK_BYTES,
    last_byte: Math.min(stop * CHUNK_BYTES, statement.size) - 1,
    first_chunk: first,
    last_chunk: stop - 1,
  }));
  const text = ranges.map((place) => `${place.first_byte}-${place.last_byte}`).join(", ");
  return { places: places.length > ranges.length ? `${text}, ...` : text, ranges };
}

// Whether the playable copy is the one that the statement names is all that can be seen of it.
async function judgeCut(file, cutStated, subject) {
  const details = { cut: cutStated.name };
  if (!file) return finding("excerpt.cut_missing", subject, details);
  try {
    const { sha256: actual, size } = await hashElsewhere(file, () => undefined);
    const same = size === cutStated.size && sameBytes(actual, cutStated.sha256);
    return finding(same ? "excerpt.cut" : "excerpt.cut_differs", subject, details);
  } catch (error) {
    if (!(error instanceof FileUnreadable)) throw error;
    return finding("excerpt.cut_missing", subject, details);
  }
}

function clockOf(milliseconds) {
  const [seconds, rest] = [Math.floor(milliseconds / 1000), milliseconds % 1000];
  const two = (number) => String(number).padStart(2, "0");
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}.${String(rest).padStart(3, "0")}`;
}
