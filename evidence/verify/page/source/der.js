// A strict reader of DER: the twin of ledger/timestamp/der.py. A value is { tag, content, raw }, bytes as they came.

const NOT_DER = "not in strict DER";
const malformedStamp = (message = NOT_DER) => refuse("stamp-malformed", message);
const TAG = {
  BOOLEAN: 0x01, INTEGER: 0x02, BIT_STRING: 0x03, OCTET_STRING: 0x04, NULL: 0x05, OID: 0x06, UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18, SEQUENCE: 0x30, SET: 0x31, CONTEXT_0: 0xa0, CONTEXT_1: 0xa1, CONTEXT_2: 0xa2, CONTEXT_3: 0xa3,
};

function derValues(data) {
  const found = [];
  for (let at = 0; at < data.length; at += found.at(-1).raw.length) found.push(derValue(data, at));
  return found;
}

function derValue(data, start) {
  if (data.length - start < 2 || (data[start] & 0x1f) === 0x1f) malformedStamp();
  let length = data[start + 1], at = start + 2;
  if (length >= 0x80) {
    const count = length - 0x80;
    const octets = data.subarray(at, at + count);
    if (!(count > 0 && count <= 4) || octets.length < count || octets[0] === 0) malformedStamp();
    length = octets.reduce((value, octet) => value * 256 + octet, 0);
    at += count;
    if (length < 0x80) malformedStamp();
  }
  const end = at + length;
  if (end > data.length) malformedStamp();
  return { tag: data[start], content: data.subarray(at, end), raw: data.subarray(start, end) };
}

const expectTag = (value, ...tags) => (tags.includes(value.tag) ? value : malformedStamp());

function derWhole(data, ...tags) {
  const values = derValues(data);
  if (values.length !== 1) malformedStamp();
  return expectTag(values[0], ...tags);
}

// Takes the children of a value one after the other.
class DerCursor {
  constructor(value) {
    this.rest = derValues(value.content);
  }

  take(...tags) {
    if (!this.rest.length) malformedStamp();
    return expectTag(this.rest.shift(), ...tags);
  }

  takeIf(...tags) {
    return this.rest.length && tags.includes(this.rest[0].tag) ? this.rest.shift() : null;
  }

  end() {
    if (this.rest.length) malformedStamp();
  }
}

function derOid(value) {
  const { content } = expectTag(value, TAG.OID);
  if (!content.length || content.at(-1) & 0x80) malformedStamp();
  const arcs = [];
  let arc = 0n, isFirst = true;
  for (const octet of content) {
    if (isFirst && octet === 0x80) malformedStamp();
    arc = (arc << 7n) | BigInt(octet & 0x7f);
    isFirst = false;
    if (!(octet & 0x80)) {
      arcs.push(arc);
      arc = 0n;
      isFirst = true;
    }
  }
  const root = arcs[0] / 40n > 2n ? 2n : arcs[0] / 40n;
  return [root, arcs[0] - 40n * root, ...arcs.slice(1)].join(".");
}

const derInteger = (value) => derSigned(expectTag(value, TAG.INTEGER).content);

function derSigned(content) {
  const isLong = content.length > 1 && [0x00, 0xff].includes(content[0]) && content[0] >> 7 === content[1] >> 7;
  if (!content.length || isLong) malformedStamp();
  return BigInt.asIntN(content.length * 8, BigInt(`0x${hex(content)}`));
}

function derBoolean(value) {
  const { content } = expectTag(value, TAG.BOOLEAN);
  if (content.length !== 1 || ![0x00, 0xff].includes(content[0])) malformedStamp();
  return content[0] === 0xff;
}

function derBits(value) {
  const { content } = expectTag(value, TAG.BIT_STRING);
  if (!content.length || content[0] !== 0) malformedStamp();
  return content.subarray(1);
}

function derFlags(value) {
  const { content } = expectTag(value, TAG.BIT_STRING);
  if (!content.length || content[0] > 7) malformedStamp();
  const found = new Set();
  content.subarray(1).forEach((octet, at) => {
    for (let bit = 0; bit < 8; bit++) if (octet & (0x80 >> bit)) found.add(8 * at + bit);
  });
  return found;
}

// An instant is { ms, text }: milliseconds with a fraction, to compare; and the text, cut off at milliseconds.
function derInstant(value) {
  expectTag(value, TAG.UTC_TIME, TAG.GENERALIZED_TIME);
  let text = String.fromCharCode(...value.content);
  if (value.tag === TAG.UTC_TIME) text = (text.slice(0, 2) >= "50" ? "19" : "20") + text;
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{1,9}))?Z$/.exec(text);
  if (!parts || (parts[7] !== undefined && value.tag === TAG.UTC_TIME) || parts[1] === "0000") malformedStamp();
  const fraction = (parts[7] ?? "").padEnd(6, "0");
  const spelt = `${parts[1]}-${parts[2]}-${parts[3]}T${parts[4]}:${parts[5]}:${parts[6]}.${fraction.slice(0, 3)}Z`;
  const ms = Date.parse(spelt);
  // A day or an hour that does not exist would come back as another one.
  if (Number.isNaN(ms) || new Date(ms).toISOString() !== spelt) malformedStamp();
  return { ms: ms + Number(fraction.slice(3, 6)) / 1000, text: spelt };
}
