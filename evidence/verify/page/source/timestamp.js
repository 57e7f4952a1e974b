// Time stamps (RFC 3161): the twin of ledger/timestamp/response.py and stamp.py, with the same obligations.

const SIGNED_DATA = "1.2.840.113549.1.7.2", TST_INFO = "1.2.840.113549.1.9.16.1.4";
const CONTENT_TYPE = "1.2.840.113549.1.9.3", MESSAGE_DIGEST = "1.2.840.113549.1.9.4";
const SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47", SHA256_OID = "2.16.840.1.101.3.4.2.1";

// roots: null when the reader gave none; then who signed is not judged.
async function judgeStamp(raw, data, roots) {
  const response = parseResponse(raw);
  if (response.imprintHash !== SHA256_OID || !sameBytes(response.imprint, sha256(data))) {
    refuse("stamp-other", "it is of other data");
  }
  const signer = await stampSigner(response);
  checkPurpose(signer);
  const infoDigest = response.contentType === TST_INFO && await digestBy(response.digest, response.info);
  if (!infoDigest || !sameBytes(infoDigest, response.messageDigest)) falseStamp("what is signed is not what it says");
  const { algorithm, digest, attributes: message, signature } = response;
  if (!await isSigned({ key: signer.key, algorithm, digest, message, signature })) falseStamp("its signature is false");
  if (roots) {
    const others = response.certificates.filter((one) => !sameBytes(one.raw, signer.raw));
    await checkChain(signer, others, roots, response.at.ms);
  }
  return { time: response.at.text, signer_sha256: hex(sha256(signer.raw)) };
}

async function stampSigner({ certificates, issuer, issuerSerial, certificateHash }) {
  const signer = certificates.find((one) => sameBytes(one.issuer, issuer) && one.serial === issuerSerial);
  if (!signer) falseStamp("the certificate of its signer did not come along");
  if (!certificateHash) falseStamp("it does not name its signer's certificate by a hash");
  if (!sameBytes(await digestBy(certificateHash[0], signer.raw), certificateHash[1])) {
    falseStamp("it names another certificate than its signer's");
  }
  return signer;
}

function parseResponse(raw) {
  if (raw.length > LIMITS.RESPONSE_BYTES_MAX) malformedStamp("longer than a time stamp may be");
  const whole = new DerCursor(derWhole(raw, TAG.SEQUENCE));
  const status = new DerCursor(whole.take(TAG.SEQUENCE));
  if (derInteger(status.take(TAG.INTEGER)) !== 0n) malformedStamp("the authority did not grant it");
  const content = new DerCursor(whole.take(TAG.SEQUENCE));
  whole.end();
  if (derOid(content.take(TAG.OID)) !== SIGNED_DATA) malformedStamp("not a signed time stamp");
  const signed = derWhole(content.take(TAG.CONTEXT_0).content, TAG.SEQUENCE);
  content.end();
  return parseSignedData(new DerCursor(signed));
}

function parseSignedData(fields) {
  derInteger(fields.take(TAG.INTEGER));
  fields.take(TAG.SET);
  const encapsulated = new DerCursor(fields.take(TAG.SEQUENCE));
  if (derOid(encapsulated.take(TAG.OID)) !== TST_INFO) malformedStamp("not a signed time stamp");
  const info = derWhole(encapsulated.take(TAG.CONTEXT_0).content, TAG.OCTET_STRING).content;
  encapsulated.end();
  const listed = fields.takeIf(TAG.CONTEXT_0);
  fields.takeIf(TAG.CONTEXT_1);
  const signers = derValues(fields.take(TAG.SET).content);
  fields.end();
  const certificates = listed ? derValues(listed.content) : [];
  if (signers.length !== 1 || certificates.length > LIMITS.CERTIFICATES_MAX) {
    malformedStamp("not of one signer, or with too many certificates");
  }
  const stated = { ...parseTstInfo(info), ...parseSigner(new DerCursor(expectTag(signers[0], TAG.SEQUENCE))) };
  return { ...stated, certificates: certificates.map((one) => parseCertificate(one.raw)) };
}

function parseTstInfo(raw) {
  const fields = new DerCursor(derWhole(raw, TAG.SEQUENCE));
  if (derInteger(fields.take(TAG.INTEGER)) !== 1n) malformedStamp();
  derOid(fields.take(TAG.OID));
  const stated = new DerCursor(fields.take(TAG.SEQUENCE));
  const [algorithm, imprint] = [stated.take(TAG.SEQUENCE), stated.take(TAG.OCTET_STRING).content];
  stated.end();
  derInteger(fields.take(TAG.INTEGER));
  const at = derInstant(fields.take(TAG.GENERALIZED_TIME));
  const accuracy = fields.takeIf(TAG.SEQUENCE);
  const ordering = fields.takeIf(TAG.BOOLEAN);
  if (ordering) derBoolean(ordering);
  const nonce = fields.takeIf(TAG.INTEGER);
  fields.takeIf(TAG.CONTEXT_0);
  fields.takeIf(TAG.CONTEXT_1);
  fields.end();
  const imprintHash = hashName(algorithm);
  if (accuracy) checkAccuracy(accuracy);
  if (nonce) derInteger(nonce);
  return { info: raw, imprintHash, imprint, at };
}

function checkAccuracy(value) {
  const fields = new DerCursor(value);
  const parts = [TAG.INTEGER, 0x80, 0x81].map((tag) => fields.takeIf(tag));
  fields.end();
  for (const part of parts) if (part) derSigned(part.content);
}

function parseSigner(fields) {
  derInteger(fields.take(TAG.INTEGER));
  const named = new DerCursor(fields.take(TAG.SEQUENCE));
  const [issuer, issuerSerial] = [named.take(TAG.SEQUENCE).raw, derInteger(named.take(TAG.INTEGER))];
  named.end();
  const digest = hashName(fields.take(TAG.SEQUENCE));
  const attributes = fields.take(TAG.CONTEXT_0);
  const [algorithm, signature] = [fields.take(TAG.SEQUENCE), fields.take(TAG.OCTET_STRING).content];
  fields.takeIf(TAG.CONTEXT_1);
  fields.end();
  const stated = parseAttributes(attributes);
  const [type, messageDigest] = [stated.get(CONTENT_TYPE), stated.get(MESSAGE_DIGEST)];
  if (!type || !messageDigest) malformedStamp();
  const ours = stated.get(SIGNING_CERTIFICATE_V2);
  return {
    issuer,
    issuerSerial,
    digest,
    // Signed is the SET itself, not the implicit tag it travels under (RFC 5652, 5.4).
    attributes: joined(Uint8Array.of(TAG.SET), attributes.raw.subarray(1)),
    contentType: derOid(type),
    messageDigest: expectTag(messageDigest, TAG.OCTET_STRING).content,
    certificateHash: ours ? parseCertificateHash(ours) : null,
    algorithm,
    signature,
  };
}

function parseAttributes(attributes) {
  const found = new Map();
  for (const attribute of derValues(attributes.content)) {
    const fields = new DerCursor(expectTag(attribute, TAG.SEQUENCE));
    const [name, values] = [derOid(fields.take(TAG.OID)), derValues(fields.take(TAG.SET).content)];
    fields.end();
    if (found.has(name) || values.length !== 1) malformedStamp();
    found.set(name, values[0]);
  }
  return found;
}

function parseCertificateHash(value) {
  const certificates = new DerCursor(expectTag(value, TAG.SEQUENCE)).take(TAG.SEQUENCE);
  const fields = new DerCursor(new DerCursor(certificates).take(TAG.SEQUENCE));
  const algorithm = fields.takeIf(TAG.SEQUENCE);
  return [algorithm ? hashName(algorithm) : SHA256_OID, fields.take(TAG.OCTET_STRING).content];
}
