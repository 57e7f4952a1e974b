// Trust policies (C2SP tlog-policy): the twin of ledger/policy.py. Names are octets and are compared as such, so the
// file is read as one character per byte.

function parsePolicy(bytes) {
  if (bytes.length > LIMITS.POLICY_BYTES_MAX || bytes.some((byte) => byte !== 9 && byte !== 10 && (byte < 32 || byte === 127))) {
    refuse("policy", `more than ${LIMITS.POLICY_BYTES_MAX} bytes, or a control character`);
  }
  const octets = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const lines = octets.split("\n");
  if (lines.pop()) refuse("policy", "the last line does not end in a newline: the policy may be cut");
  const draft = { logs: [], witnesses: [], groups: [], quorum: [], defined: new Set(), grouped: new Set() };
  lines.forEach((line, index) => {
    const words = line.split(/[ \t]/).filter((word) => word);
    if (!words.length || words[0].startsWith("#")) return;
    try {
      addPolicyLine(draft, words);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refuse("policy", `line ${index + 1}: ${error.message}`);
    }
  });
  if (draft.quorum.length !== 1) refuse("policy", "a policy has exactly one quorum line");
  return { logs: draft.logs, witnesses: draft.witnesses, groups: draft.groups,
    quorum: draft.quorum[0] === "none" ? null : draft.quorum[0] };
}

function addPolicyLine(draft, words) {
  const [keyword, ...rest] = words;
  const counts = { log: [1, 2], witness: [2, 3], quorum: [1, 1], group: [3, Infinity] };
  const [least, most] = Object.hasOwn(counts, keyword) ? counts[keyword] : [1, 0];
  if (rest.length < least || rest.length > most) refuse("policy", "no such line in a policy");
  if (keyword === "log") addLog(draft, keyOfOctets(rest[0]));
  if (keyword === "witness") addWitness(draft, rest[0], keyOfOctets(rest[1]));
  if (keyword === "group") addGroup(draft, rest[0], rest[1], rest.slice(2));
  if (keyword === "quorum") {
    if (rest[0] !== "none" && !draft.defined.has(rest[0])) refuse("policy", "the quorum is not defined above");
    draft.quorum.push(rest[0]);
  }
  if (Math.max(draft.logs.length, draft.witnesses.length, draft.groups.length) > LIMITS.PARTIES_MAX) {
    refuse("policy", `more than ${LIMITS.PARTIES_MAX} of a kind`);
  }
}

function keyOfOctets(word) {
  try {
    return parsePublicKey(fromUtf8(Uint8Array.from(word, (char) => char.charCodeAt(0))));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return refuse("key", "a key name is Unicode text");
  }
}

function addLog(draft, key) {
  if (key.type === COSIGNATURE_ED25519) refuse("policy", "a key of type 0x04 belongs to a witness, not to a log");
  if (draft.logs.some((log) => sameBytes(log.raw, key.raw))) {
    refuse("policy", "the key of this log stands above already");
  }
  draft.logs.push(key);
}

function addWitness(draft, name, key) {
  if (key.type === ED25519) refuse("policy", "a key of type 0x01 does not sign this way");
  if (draft.witnesses.some((witness) => sameBytes(witness.key.raw, key.raw))) {
    refuse("policy", "the key of this witness stands above already");
  }
  definePolicyName(draft, name);
  draft.witnesses.push({ name, key });
}

function addGroup(draft, name, word, members) {
  const named = { all: members.length, any: 1 };
  const threshold = Object.hasOwn(named, word) ? named[word] : Number(parseDecimal(word, BigInt(members.length)));
  if (threshold < 1) refuse("policy", "a threshold is at least 1");
  for (const member of members) {
    if (!draft.defined.has(member) || draft.grouped.has(member)) {
      refuse("policy", "a member is not defined above, or is in a group already");
    }
    draft.grouped.add(member);
  }
  definePolicyName(draft, name);
  draft.groups.push({ name, threshold, members });
}

function definePolicyName(draft, name) {
  if (name === "none" || draft.defined.has(name)) refuse("policy", "the name is taken");
  draft.defined.add(name);
}

const octetsShown = (octets) => new TextDecoder().decode(Uint8Array.from(octets, (char) => char.charCodeAt(0)));

// Obligation 7: every known line is true, a believed log signed under its own name, and the quorum of witnesses did.
async function openCheckpoint(raw, policy) {
  const note = parseNote(raw);
  const keys = [...policy.logs, ...policy.witnesses.map((witness) => witness.key)];
  const known = keys.filter((key, index) => keys.findIndex((other) => other.vkey === key.vkey) === index);
  const proofs = await openNote(note, known);
  const signed = new Set(proofs.map(([key]) => key.vkey));
  const signers = policy.logs.filter((log) => signed.has(log.vkey));
  const size = signers.some((log) => log.span) ? parseCheckpoint(note.text).size : null;
  const logs = signers.filter((log) => !log.span || speaksFor(log.span, size));
  const silent = signers.filter((log) => !logs.includes(log));
  if (silent.length && !logs.length) {
    throw Object.assign(new Refusal("silent", "only keys signed that do not speak for this size"),
      { size: plainNumber(size), keys: silent.map((log) => log.vkey) });
  }
  if (!logs.length) refuse("unsigned", "no log of the policy signed the checkpoint");
  const checkpoint = parseCheckpoint(note.text);
  if (!logs.some((log) => log.name === checkpoint.origin)) {
    refuse("false", `no key of ${checkpoint.origin} signed the checkpoint`);
  }
  const isSeen = (witness) => signed.has(witness.key.vkey);
  const cosigned = policy.witnesses.filter(isSeen).map((witness) => witness.name);
  const missing = policy.witnesses.filter((witness) => !isSeen(witness)).map((witness) => witness.name);
  const met = new Set(cosigned);
  for (const group of policy.groups) {
    // Members are defined before their group, so one pass decides every group.
    if (group.members.filter((member) => met.has(member)).length >= group.threshold) met.add(group.name);
  }
  if (policy.quorum !== null && !met.has(policy.quorum)) {
    throw Object.assign(new Refusal("unmet", "too few witnesses cosigned the checkpoint"),
      { missing: missing.map(octetsShown) });
  }
  return { checkpoint, cosigned: cosigned.map(octetsShown) };
}
