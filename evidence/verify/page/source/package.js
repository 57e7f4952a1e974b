// Which files speak for which, and whose key judges them: the twin of evidence/verify/package.py and of the run in
// cli.py. A selection is a list of { path, file }, paths relative to what was chosen.

class NothingToVerify extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

const folderOf = (path) => path.slice(0, Math.max(0, path.lastIndexOf("/")));
const nameOf = (path) => path.slice(path.lastIndexOf("/") + 1);
const within = (folder, name) => (folder ? `${folder}/${name}` : name);

async function openPackages(selection) {
  const files = new Map(selection.map(({ path, file }) => [path, file]));
  const isCovered = (path) => files.has(`${path}.receipt`);
  const originals = new Set();
  for (const path of files.keys()) {
    // An original may itself be called `x.receipt`; then `x.receipt.receipt` speaks for it.
    if (nameOf(path).endsWith(".receipt") && nameOf(path) !== ".receipt" && !isCovered(path)) {
      originals.add(path.slice(0, -".receipt".length));
    }
  }
  if (!originals.size) {
    // Nobody speaks for anything: a single original may still be asked about.
    const isBeside = (path) => /\.(?:leaves|dock|checkpoint|tsr|excerpt|chunks)$/.test(path);
    const asked = [...files.keys()].filter((path) => !OUR_NAMES.includes(nameOf(path)) && !isBeside(path));
    if (asked.length !== 1) throw new NothingToVerify("verify.nothing");
    originals.add(asked[0]);
  }
  const sorted = [...originals].sort(byParts);
  const root = rootOfSelection([...files.keys()]);
  const folders = new Map();
  for (const path of sorted) folders.set(folderOf(path), [...(folders.get(folderOf(path)) ?? []), path]);
  const known = new Set([root, ...folders.keys()].flatMap((folder) => OUR_NAMES.map((name) => within(folder, name))));
  const stamps = new Map(sorted.map((path) => [path, stampsBeside(path, files)]));
  for (const path of sorted) {
    for (const suffix of OUR_SUFFIXES) known.add(path + suffix);
    // Where an excerpt lies in the place of the original, a file of the original's name is a stranger.
    const excerpt = files.get(`${path}.excerpt`);
    known.add((excerpt && await cutBeside(path, excerpt)) ?? path);
    for (const [name] of stamps.get(path)) known.add(`${path}.${name}.tsr`);
  }
  const others = [...files.keys()].filter((path) => !known.has(path)).sort(byParts);
  return [...folders].map(([folder, paths], number) => ({
    items: paths.map((path) => ({
      path,
      name: nameOf(path),
      original: files.get(path) ?? null,
      receipt: files.get(`${path}.receipt`) ?? null,
      leaves: files.get(`${path}.leaves`) ?? null,
      dock: files.get(`${path}.dock`) ?? null,
      excerpt: files.get(`${path}.excerpt`) ?? null,
      chunks: files.get(`${path}.chunks`) ?? null,
      beside: (name) => files.get(within(folderOf(path), name)) ?? null,
      checkpoint: files.get(`${path}.checkpoint`) ?? null,
      stamps: stamps.get(path),
    })),
    uncovered: number === 0 ? others : [],
    policy: files.get(within(folder, POLICY_NAME)) ?? files.get(within(root, POLICY_NAME)) ?? null,
    keys: files.get(within(folder, KEYS_NAME)) ?? files.get(within(root, KEYS_NAME)) ?? null,
  }));
}

// Where the playable copy of an excerpt lies by its statement; null without one.
async function cutBeside(path, excerpt) {
  const raw = await readAtMost(excerpt, LIMITS.EXCERPT_BYTES_MAX);
  const statement = parsed(() => parseExcerpt(raw));
  return statement?.cut ? within(folderOf(path), statement.cut.name) : null;
}

// The time stamps beside an original, as [authority, file] in the order of names, as many as are judged.
function stampsBeside(path, files) {
  const head = `${path}.`;
  return [...files]
    .filter(([other]) => other.startsWith(head) && other.endsWith(".tsr"))
    .map(([other, file]) => [other.slice(head.length, -".tsr".length), file])
    .filter(([name]) => /^[a-z][a-z0-9-]{0,31}$/.test(name))
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .slice(0, LIMITS.STAMPS_MAX);
}

function byParts(left, right) {
  const [a, b] = [left.split("/"), right.split("/")];
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
  return a.length - b.length;
}

// The chosen folder itself: what all paths begin with, one part at most.
function rootOfSelection(paths) {
  const first = paths[0].split("/")[0];
  return paths.every((path) => path.startsWith(`${first}/`)) ? first : "";
}

async function decideTrust(given, packagePolicy) {
  const text = given.trim();
  const believed = (bytes) => {
    const policy = parsed(() => parsePolicy(bytes));
    if (!policy || !policy.logs.length) throw new NothingToVerify(text ? "verify.key_given" : "verify.key_package");
    return policy;
  };
  if (text) {
    const isKey = parsed(() => parsePublicKey(text)) !== null;
    return { policy: believed(utf8(isKey ? `log ${text}\nquorum none\n` : `${text}\n`)), fromPackage: false };
  }
  if (!packagePolicy) throw new NothingToVerify("verify.log_key");
  return { policy: believed(await readAtMost(packagePolicy, LIMITS.POLICY_BYTES_MAX)), fromPackage: true };
}

// Roots to believe time stamps by, from the file that the reader chose; null when there is none.
async function readRoots(file) {
  if (!file) return null;
  const roots = parseRoots(await readAtMost(file, LIMITS.ROOTS_BYTES_MAX));
  if (!roots) throw new NothingToVerify("verify.tsa_roots");
  return roots;
}

async function verifySelection(selection, given, rootsFile, progress) {
  const roots = await readRoots(rootsFile);
  const packages = await openPackages(selection);
  const trusts = [];
  for (const one of packages) trusts.push(await decideTrust(given, one.policy));
  const beliefs = [];
  for (const [number, one] of packages.entries()) beliefs.push(await judgeKeys(one.keys, trusts[number].policy));
  const pairs = packages.flatMap((one, number) => one.items.map((item) => [item, beliefs[number].policy]));
  const verifications = [];
  for (const [number, [item, policy]] of pairs.entries()) {
    const tell = (done, total) => progress(item, number, pairs.length, done, total);
    verifications.push(await verifyItem(item, policy, roots, tell));
  }
  const remarks = packages.flatMap((one, number) => [...remarksOn(one, trusts[number]), ...beliefs[number].findings]);
  const bag = await openBag(selection);
  if (bag) {
    const told = onceAround(remarks, bag);
    const [policy, originals] = [beliefs[0].policy, pairs.map(([item]) => item)];
    told.push(...await judgeBag(bag, policy, verifications));
    told.push(...await judgeCaseIn(bag, originals, verifications, policy));
    told.push(...tellReviewIn(bag));
    remarks.splice(0, remarks.length, ...told);
  }
  return { verifications, trusts, remarks, verdict: verdictOf(verifications, trusts, remarks) };
}

function remarksOn({ uncovered }, { policy, fromPackage }) {
  const found = uncovered.map((path) => finding("package.uncovered", `file:${path}`));
  const keys = policy.logs.map((log) => log.vkey).join(", ");
  return fromPackage ? [...found, finding("trust.key_from_package", "log", { keys })] : found;
}

function verdictOf(verifications, trusts, remarks) {
  const isClean = remarks.every((remark) => remark.severity !== "error");
  if (!isClean || !verifications.every((one) => one.holds)) return "failed";
  if (trusts.some((trust) => trust.fromPackage)) return "trust_owed";
  const isWhole = (one) => one.findings.every((found) => found.code !== "prefix.rest_unproven");
  return verifications.every(isWhole) ? "verified" : "partly";
}

// Bytes of the clip, or of the beginning of a file.
const sizeOf = (sealed) => (sealed.digest ?? sealed).size;

// The same object that `shilu-verify --json` prints.
function reportJson({ verifications, trusts, remarks, verdict }) {
  return {
    verified: verdict === "verified",
    consistent: verdict !== "failed",
    log_keys: [...new Set(trusts.flatMap((trust) => trust.policy.logs.map((log) => log.vkey)))],
    log_keys_from: trusts.some((trust) => trust.fromPackage) ? "package" : "caller",
    items: verifications.map(itemJson),
    remarks,
    owed: OWED,
  };
}

function itemJson({ file, sealed, index, checkpoint, holds, findings }) {
  return {
    file,
    clip: sealed?.clip ?? null,
    upload: sealed?.upload ?? null,
    name: sealed && sealed.name,
    size: sealed && sizeOf(sealed),
    sha256: sealed?.digest ? hex(sealed.digest.sha256) : null,
    sm3: sealed?.digest?.sm3 ? hex(sealed.digest.sm3) : null,
    index,
    holds,
    checkpoint: checkpoint
      && { origin: checkpoint.origin, size: plainNumber(checkpoint.size), root: hex(checkpoint.root) },
    findings,
  };
}
