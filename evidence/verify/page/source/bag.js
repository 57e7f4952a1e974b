// Packages (BagIt): the receipt of the hand-over and the list of files that it commits to. The twin of
// evidence/core/wire/bag.py and evidence/verify/bag.py; a browser cannot tell a link from the file it leads to.

const MANIFEST_NAME = "manifest-sha256.txt", TAG_MANIFEST_NAME = "tagmanifest-sha256.txt";
const EXPORT_TYPES = ["case.exported", "clips.exported"];
const SMALL_BYTES = 4 * CHUNK_BYTES;

function parseManifest(bytes) {
  if (bytes.length > LIMITS.LIST_BYTES_MAX) refuse("wire", `more than ${LIMITS.LIST_BYTES_MAX} bytes`);
  let lines;
  try {
    lines = fromUtf8(bytes).split("\n");
  } catch {
    refuse("wire", "the list is not UTF-8");
  }
  if (lines.pop()) refuse("wire", "the list does not end with a line feed");
  if (lines.length > LIMITS.LINES_MAX) refuse("wire", `more than ${LIMITS.LINES_MAX} lines`);
  const digests = new Map();
  for (const [index, line] of lines.entries()) {
    // What Python calls a blank: not the byte order mark, but the separators among the control characters.
    const match = /^([0-9a-f]{64}) {2}((?:[^\s\x1c-\x1f\x85]|\ufeff)[^\n]*)$/.exec(line);
    if (!match) refuse("wire", `line ${index + 1} of the list is no digest and path`);
    const path = decodedPath(match[2], index + 1);
    if (digests.has(path)) refuse("wire", `line ${index + 1} of the list names a file for the second time`);
    digests.set(path, match[1]);
  }
  return digests;
}

const codedPath = (path) => path.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");

function decodedPath(coded, number) {
  const where = `line ${number} of the list`;
  if (coded.replace(/%(?:25|0D|0A)/gi, "").includes("%")) refuse("wire", `${where} has a path with a bare per cent sign`);
  const path = coded.replace(/%(25|0D|0A)/gi, (_, code) => String.fromCharCode(parseInt(code, 16)));
  const parts = path.split("/");
  if (codedPath(path) !== coded || utf8(path).length > LIMITS.PATH_BYTES_MAX || /[\x00-\x1f\x7f]/.test(path)) {
    refuse("wire", `${where} has a path in a form of its own`);
  }
  if (parts.some((part) => ["", ".", ".."].includes(part)) || path.includes("\\") || parts[0].includes(":")) {
    refuse("wire", `${where} has a path that leads out of the bag`);
  }
  return path;
}

// The package that was chosen, null where it is none.
async function openBag(selection) {
  const files = new Map(selection.map(({ path, file }) => [path, file]));
  const root = rootOfSelection([...files.keys()]);
  const file = (name) => files.get(within(root, name)) ?? null;
  if (!file("bagit.txt")) return null;
  const read = async (name, bytesMax) => file(name) && readAtMost(file(name), bytesMax);
  const listed = async (name) => {
    const raw = await read(name, LIMITS.LIST_BYTES_MAX);
    return { raw, digests: raw && parsed(() => parseManifest(raw)) };
  };
  return {
    root,
    file,
    subject: `package:${root}`,
    manifest: await listed(MANIFEST_NAME),
    tags: await listed(TAG_MANIFEST_NAME),
    trace: await read("export.trace", LIMITS.RECEIPT_BYTES_MAX),
  };
}

// Around a package, what was said of a folder before is left out, and files that its own lists speak for.
function onceAround(remarks, { root, manifest, tags }) {
  const names = [...(manifest.digests ?? new Map()).keys(), ...(tags.digests ?? new Map()).keys(), TAG_MANIFEST_NAME];
  const listed = new Set(names.map((name) => `file:${within(root, name)}`));
  const told = new Map(remarks.map((one) => [JSON.stringify([one.code, one.subject, one.message]), one]));
  return [...told.values()].filter((one) => one.code !== "package.uncovered" || !listed.has(one.subject));
}

async function judgeBag(bag, policy, verifications) {
  const { root, subject, manifest: { raw, digests } } = bag;
  const malformed = finding("bag.malformed", subject, { list: MANIFEST_NAME });
  if (!digests) return [malformed];
  const excerpts = verifications.filter((one) => one.isExcerpt && isWithin(root, one.file));
  const read = new Map(verifications.filter((one) => one.holds && one.sealed?.digest && !one.isExcerpt)
    .map((one) => [one.file, hex(one.sealed.digest.sha256)]));
  const found = await judgeTrace(bag, hex(sha256(raw)), policy);
  const traced = isClean(found) && bag.trace !== null;
  const faults = [];
  for (const [path, digest] of digests) {
    if (!path.startsWith("data/")) return [...found, malformed];
    faults.push(...await judgeListed(bag, path, digest, read.get(within(root, path))));
  }
  found.push(...faults);
  if (!faults.length) found.push(finding(traced ? "bag.listed" : "bag.listed_only", subject, { files: digests.size }));
  for (const path of excerpts.flatMap((one) => [`${one.file}.excerpt`, `${one.file}.chunks`])) {
    // Laid beside an original, it would be judged in its place.
    if (!digests.has(path.slice(within(root, "").length))) found.push(finding("bag.file_unlisted", `file:${path}`));
  }
  if (excerpts.length) {
    const of = verifications.filter((one) => isWithin(root, one.file)).length;
    found.push(finding("bag.excerpts", subject, { excerpts: excerpts.length, of }));
  }
  return [...found, ...await judgeTags(bag)];
}

const isWithin = (root, path) => path.startsWith(within(root, ""));

const isClean = (found) => found.every((one) => one.severity !== "error");

async function judgeTrace({ trace, subject }, manifest, policy) {
  if (!trace) return [finding("bag.untraced", subject)];
  let receipt, entry, said;
  try {
    receipt = parseReceipt(trace);
    entry = decodeEntry(receipt.entry);
    said = parsePayload(receipt.payload);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [finding("bag.trace_malformed", subject, { reason: error.message })];
  }
  const committed = commitsTo(entry, receipt);
  if (!committed || !EXPORT_TYPES.includes(entry.type)) {
    const reason = committed ? entry.type : "payload.not_committed";
    return [finding("bag.trace_malformed", subject, { reason })];
  }
  const { index, codes } = await provedPlace(receipt, policy, subject);
  if (codes !== null) return [finding("bag.trace_not_proved", subject, { codes })];
  if (said.manifest !== manifest) return [finding("bag.manifest_differs", subject)];
  return [finding("bag.traced", subject, { index, at: entry.at })];
}

const commitsTo = (entry, receipt) => sameBytes(sha256(receipt.salt, utf8(receipt.payload)), entry.commit);

// Where a receipt's entry stands in a log that is believed; `codes` say why not, null where it does.
async function provedPlace(receipt, policy, subject) {
  const result = { index: null };
  const found = (await judgeLog(receipt, policy, subject, result)).filter((one) => one.severity === "error");
  if (result.index !== null && !found.length) return { index: result.index, codes: null };
  return { index: null, codes: found.map((one) => one.code).join(", ") || "receipt.malformed" };
}

async function judgeListed({ root, file }, path, digest, known) {
  const subject = `file:${within(root, path)}`;
  let actual = known;
  if (actual === undefined) {
    try {
      actual = await digestOf(file(path));
    } catch {
      return [finding("bag.file_missing", subject)];
    }
  }
  return actual === digest ? [] : [finding("bag.file_differs", subject)];
}

async function digestOf(file) {
  if (file.size > SMALL_BYTES) return hex((await hashElsewhere(file, () => undefined)).sha256);
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer())));
}

async function judgeTags(bag) {
  const listed = bag.tags.digests;
  if (!listed || [...listed.keys()].some((path) => path.includes("/"))) {
    return [finding("bag.malformed", bag.subject, { list: TAG_MANIFEST_NAME })];
  }
  const found = [];
  for (const name of BAG_TAGS) {
    if (bag.file(name) && !listed.has(name)) found.push(finding("bag.file_unlisted", `file:${within(bag.root, name)}`));
    if (listed.has(name)) found.push(...await judgeListed(bag, name, listed.get(name)));
  }
  return found;
}
