// A package of an archived case: whether what lies in it is the case as it was frozen. The twin of
// evidence/verify/archived.py, archived_files.py and evidence/core/wire/case_manifest.py.

const CASE_FORMAT = "shilu-case-manifest/1";
const CASE_LISTS = ["exhibits", "unlinked", "documents", "statements", "sections"];
const SHELVES = ["exhibits", "documents"];

function manifestRoot(manifest) {
  if (manifest.format !== CASE_FORMAT) refuse("wire", "this is no manifest of a case");
  const rest = Object.entries(manifest).filter(([name]) => !CASE_LISTS.includes(name));
  const leaves = [Object.fromEntries(rest)];
  for (const name of CASE_LISTS) {
    if (!Array.isArray(manifest[name])) refuse("wire", `the manifest has no list of ${name}`);
    leaves.push(...manifest[name].map((member) => ({ [name]: member })));
  }
  return rootOf(leaves.map((leaf) => leafHash(utf8(canonicalJson(leaf, LIMITS.DEPTH_MAX)))));
}

// Reviews are judged by evidence/verify/rounds.py alone: here it is said that they are not.
function tellReviewIn({ file, subject }) {
  return file("data/review.receipts") ? [finding("page.review_not_judged", subject)] : [];
}

async function judgeCaseIn(bag, items, verifications, policy) {
  const { root, file, subject } = bag;
  if (!file("data/case.archive")) return [];
  let receipt, entry, said, manifestHash, frozen;
  try {
    receipt = parseReceipt(await readAtMost(file("data/case.archive"), LIMITS.RECEIPT_BYTES_MAX));
    entry = decodeEntry(receipt.entry);
    said = openPayload(entry, receipt);
    if (entry.type !== "case.archived" || !isObject(said.manifest)) {
      refuse("wire", `this is the receipt of a ${entry.type}`);
    }
    manifestHash = hex(manifestRoot(said.manifest));
    frozen = new Map([...frozenFiles(said.manifest)].map((one) => [one.place, one]));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [finding("archive.malformed", subject, { reason: error.message })];
  }
  const { manifest } = said;
  const { index, codes } = await provedPlace(receipt, policy, subject);
  const found = [codes === null
    ? finding("archive.proved", subject, { number: pythonString(manifest.number), index, at: entry.at })
    : finding("archive.not_proved", subject, { codes })];
  if (said.root !== manifestHash) found.push(finding("archive.root_differs", subject));
  const stated = await statedCase(bag);
  if (said.case !== stated || manifest.case !== stated || entry.subject !== `case:${stated}`) {
    found.push(finding("archive.other_case", subject));
  }
  const faults = await judgeFrozen(frozen, heldIn(within(root, "data"), items, verifications), manifest.case, policy);
  if (isClean([...found, ...faults])) {
    const exhibits = manifest.exhibits.length, documents = manifest.documents.length;
    const excerpts = faults.filter((one) => one.code === "archive.file_excerpted").length;
    const counts = { root: manifestHash, exhibits, documents };
    found.push(excerpts
      ? finding("archive.excerpted", subject, { ...counts, excerpts })
      : finding("archive.complete", subject, counts));
  }
  return [...found, ...faults];
}

const pythonString = (value) => (typeof value === "string" ? value : pythonText(value));

function openPayload(entry, receipt) {
  if (!commitsTo(entry, receipt)) refuse("mismatch", "the entry does not commit to this payload and salt");
  return parsePayload(receipt.payload);
}

function* frozenFiles(manifest) {
  for (const shelf of SHELVES) {
    for (const [place, member] of manifest[shelf].entries()) {
      const number = shelf === "exhibits" ? member?.exhibit : place + 1;
      if (!isObject(member) || !Number.isSafeInteger(number) || number < 1 || typeof member.sha256 !== "string") {
        refuse("wire", `one of the ${shelf} is not of its form`);
      }
      yield { place: `${shelf}/${String(number).padStart(4, "0")}`, member, isExhibit: shelf === "exhibits" };
    }
  }
}

// The case that package.json names, null where it names none.
async function statedCase({ file }) {
  const said = file("data/package.json") && await readObject(file("data/package.json"));
  const named = isObject(said?.case) ? said.case.case : null;
  return typeof named === "string" ? named : null;
}

async function readObject(file) {
  try {
    const value = JSON.parse(fromUtf8(await readAtMost(file, LIMITS.PAYLOAD_BYTES_MAX)));
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

// The originals below `data/`, each with what lies beside it.
function heldIn(data, items, verifications) {
  return items.map((item, number) => ({ item, verified: verifications[number], folder: folderOf(item.path) }))
    .filter(({ folder }) => folder === data || folder.startsWith(`${data}/`))
    .map((one) => ({ ...one, place: one.folder.slice(data.length + 1) || "." }));
}

async function judgeFrozen(frozen, held, caseId, policy) {
  const found = [], there = new Set();
  for (const one of held) {
    const expected = frozen.get(one.place);
    if (!expected || there.has(one.place)) {
      found.push(finding("archive.file_strange", `file:${one.place}`));
      continue;
    }
    there.add(one.place);
    found.push(...await judgeFrozenFile(one, expected, caseId, policy));
  }
  for (const place of frozen.keys()) {
    if (!there.has(place)) found.push(finding("archive.file_missing", `file:${place}`));
  }
  return found;
}

async function judgeFrozenFile({ item, verified, place }, { member, isExhibit }, caseId, policy) {
  const subject = `file:${place}`, found = [];
  const fields = Object.entries(statedBy(verified)).filter(([name, value]) => member[name] !== value);
  if (fields.length) {
    found.push(finding("archive.file_differs", subject, { fields: fields.map(([name]) => name).join(", ") }));
  } else if (!verified.holds) found.push(finding("archive.file_unverified", subject));
  else if (verified.isExcerpt) found.push(finding("archive.file_excerpted", subject));
  if (!isExhibit) return found;
  const log = item.beside("custody.receipts");
  const custody = await custodyIn(log && await readAtMost(log, LIMITS.CUSTODY_BYTES_MAX), [member.linked, member.annotation]);
  const link = await provedPayload(custody.get(member.linked), "case.clip_linked", policy);
  if (!link || link.case !== caseId || link.clip !== member.clip || link.exhibit !== member.exhibit) {
    found.push(finding("archive.number_unproved", subject, { number: member.exhibit }));
  }
  const annotation = item.beside("annotation.json");
  return [...found, ...await judgeAnnotation(annotation, member, custody, policy, subject)];
}

// What an original's receipt states, under the names of the manifest.
function statedBy({ sealed, entry }) {
  if (!sealed?.digest) return { sha256: null };
  const { size, sha256: whole, root } = sealed.digest;
  return { clip: sealed.clip, file: sealed.name, size, sha256: hex(whole), root: hex(root), sealed: entry.id };
}

async function judgeAnnotation(file, member, custody, policy, subject) {
  const { version } = member;
  if ((member.annotation ?? null) === null) {
    return file ? [finding("archive.annotation_newer", subject, { version: 0 })] : [];
  }
  const differs = [finding("archive.annotation_differs", subject, { version: version ?? "None" })];
  const known = await provedPayload(custody.get(member.annotation), "clip.annotated", policy);
  if (!known || known.version !== version || known.clip !== member.clip) return differs;
  const now = file && await readObject(file);
  if (!now) return differs;
  const spelt = parsed(() => canonicalJson(now, LIMITS.DEPTH_MAX));
  if (spelt === canonicalJson(known, LIMITS.DEPTH_MAX)) return [];
  const isLater = Number.isSafeInteger(now.version) && now.version > version;
  return isLater ? [finding("archive.annotation_newer", subject, { version })] : differs;
}

// The receipts of some entries among a custody log, by the entries' ids; what cannot be read is left out.
async function custodyIn(bytes, wanted) {
  const found = new Map();
  if (!bytes) return found;
  let start = 0;
  for (;;) {
    const first = bytes.indexOf(10, start);
    if (first < 0) return found;
    const second = bytes.indexOf(10, first + 1);
    const end = second < 0 ? first + 1 : second + 1;
    const read = parsed(() => {
      const receipt = parseReceipt(bytes.subarray(start, end));
      return { receipt, entry: decodeEntry(receipt.entry) };
    });
    if (read && wanted.includes(read.entry.id)) found.set(read.entry.id, read);
    start = end;
  }
}

// The payload of a receipt that holds; null for any other.
async function provedPayload(known, type, policy) {
  if (!known || known.entry.type !== type) return null;
  const { codes } = await provedPlace(known.receipt, policy, `entry:${known.entry.id}`);
  return codes === null ? parsed(() => openPayload(known.entry, known.receipt)) : null;
}
