// Statements about a log's keys and their chain: the twin of ledger/key_statement.py, key_history.py and of keys.py.

const SUCCESSION = "shilu/log-key/v1", RETIREMENT = "shilu/log-key-end/v1";

function parseStatement(text) {
  const end = text.indexOf("\n"), version = text.slice(0, Math.max(end, 0)), line = text.slice(end + 1);
  const names = new Map([[SUCCESSION, ["old", "new"]], [RETIREMENT, ["retired", "by"]]]).get(version);
  if (!names || !line.endsWith("\n") || line.slice(0, -1).includes("\n")) refuse("keys.malformed", "no statement");
  const body = parsed(() => parseCanonical(line.slice(0, -1), LIMITS.STATEMENT_BYTES_MAX));
  const fields = [...names, "number", "origin", "size"].sort().join();
  if (!isObject(body) || Object.keys(body).sort().join() !== fields) refuse("keys.malformed", "other fields");
  const [first, second] = names.map((name) => statementKey(body[name], body.origin));
  const isWhole = (value, least) => Number.isSafeInteger(value) && value >= least;
  if (first.vkey === second.vkey || !isWhole(body.number, 1) || !isWhole(body.size, 0)) {
    refuse("keys.malformed", "keys or numbers out of bounds");
  }
  return { isSuccession: version === SUCCESSION, first, second, number: body.number, size: body.size };
}

function statementKey(vkey, origin) {
  const key = typeof vkey === "string" ? parsed(() => parsePublicKey(vkey)) : null;
  if (!key || key.type !== ED25519 || key.name !== origin) refuse("keys.malformed", "no key of the log");
  return key;
}

async function openStatement(whole) {
  if (utf8(whole).length > LIMITS.STATEMENT_BYTES_MAX) refuse("keys.malformed", "too long");
  const note = parsed(() => parseNote(whole)) ?? refuse("keys.malformed", "no signed note");
  const statement = parseStatement(note.text);
  const signers = statement.isSuccession ? [statement.first, statement.second] : [statement.second];
  const isNamed = ({ name, keyId }, place) => name === signers[place].name && sameBytes(keyId, signers[place].keyId);
  if (note.signatures.length !== signers.length || !note.signatures.every(isNamed)) {
    refuse("keys.false", "other signatures");
  }
  for (const [place, signer] of signers.entries()) {
    const verdict = await verifies(signer, note.text, note.signatures[place].value);
    if (verdict === null) refuse("unsupported", signatureKind(signer));
    if (!verdict) refuse("keys.false", "a false signature");
  }
  return statement;
}

function parseKeysFile(bytes) {
  if (bytes.length > LIMITS.KEYS_BYTES_MAX) refuse("keys.malformed", "too long");
  let text;
  try {
    text = fromUtf8(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    refuse("keys.malformed", "not UTF-8");
  }
  if (!text.startsWith("shilu/log-keys/v1\n") || !text.endsWith("\n")) refuse("keys.malformed", "another form");
  const line = text.slice("shilu/log-keys/v1\n".length).replace(/\n$/, "");
  const body = parsed(() => parseCanonical(line, LIMITS.KEYS_BYTES_MAX));
  const statements = isObject(body) && Object.keys(body).join() === "statements" ? body.statements : null;
  if (!Array.isArray(statements) || !statements.length || statements.length > 2 * LIMITS.SUCCESSIONS_MAX
    || !statements.every((statement) => typeof statement === "string")) {
    refuse("keys.malformed", "no list of statements");
  }
  return statements;
}

// The keys in the order in which they followed each other, each with the sizes it speaks for.
async function parseKeyHistory(bytes) {
  const statements = parseKeysFile(bytes);
  const spans = [];
  for (const [place, raw] of statements.entries()) {
    const statement = await openStatement(raw);
    if (!place) {
      if (!statement.isSuccession) refuse("keys.chain", "a retirement first");
      spans.push({ key: statement.first, above: -1, upTo: null });
    }
    const isInPlace = statement.number === Math.floor(place / 2) + 1 && statement.isSuccession === (place % 2 === 0);
    if (!isInPlace) refuse("keys.chain", "out of its place");
    if (statement.isSuccession) addSuccessor(spans, statement);
    else endElder(spans, statement);
  }
  return spans;
}

function addSuccessor(spans, { first, second, size }) {
  const floor = spans.at(-2)?.upTo ?? 0;
  if (first.vkey !== spans.at(-1).key.vkey || spans.some((span) => span.key.vkey === second.vkey) || size < floor) {
    refuse("keys.chain", "does not lead on");
  }
  spans.push({ key: second, above: size, upTo: null });
}

function endElder(spans, { first, second, size }) {
  const [elder, last] = spans.slice(-2);
  if (second.vkey !== last.key.vkey || first.vkey !== elder.key.vkey || size < last.above) {
    refuse("keys.chain", "not about the two keys");
  }
  elder.upTo = size;
}

const speaksFor = ({ above, upTo }, size) => BigInt(above) < size && (upTo === null || size <= BigInt(upTo));

async function judgeKeys(file, policy) {
  if (!file) return { policy, findings: [] };
  let spans;
  try {
    spans = await parseKeyHistory(await readAtMost(file, LIMITS.KEYS_BYTES_MAX));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.kind === "unsupported") {
      return { policy, findings: [finding("page.signature_unsupported", "log", { kind: error.message })] };
    }
    return { policy, findings: [finding("keys.not_proved", "log", { why: error.kind.replace("keys.", "log_key.") })] };
  }
  const isInChain = (log) => spans.some((span) => span.key.vkey === log.vkey);
  if (!policy.logs.some(isInChain)) {
    return { policy, findings: [finding("keys.unrelated", "log", { origin: spans[0].key.name })] };
  }
  const logs = policy.logs.filter((log) => !isInChain(log)).concat(spans.map((span) => ({ ...span.key, span })));
  const told = { successions: spans.length - 1, newest: spans.at(-1).key.vkey };
  return { policy: { ...policy, logs }, findings: [finding("keys.followed", "log", told)] };
}
