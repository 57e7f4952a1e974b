// What this browser remembers of the log: whose signatures it believes, and the longest tree it has seen. Each time it looks,
// the tree of today must contain the tree it remembers (RFC 6962, 2.1.2), so that a log that was rolled back, or shows
// different people different histories, is noticed by whoever looked before. Hashes are fetched as C2SP tiles and nothing
// that they say is believed: both roots have to come out of them.

/* global parseNote, parseCheckpoint, openCheckpoint, parsePolicy, sha256, sameBytes, utf8, hex */
import { bytes } from "./api.js";

const KEPT = "shilu.log";
const TILE = 256;

export class LogChanged extends Error {
  constructor(word, values = {}) {
    super(word);
    this.word = word;
    this.values = values;
  }
}

export async function lookAtLog() {
  const text = new TextDecoder().decode(await bytes("/log/policy", { fresh: true }));
  const kept = JSON.parse(localStorage.getItem(KEPT) ?? "null");
  if (kept && kept.policy !== text) throw new LogChanged("verify.changed");
  const note = new TextDecoder().decode(await bytes("/log/checkpoint", { fresh: true }));
  const { checkpoint } = await openCheckpoint(note, parsePolicy(utf8(text)));
  const now = { size: Number(checkpoint.size), root: hex(checkpoint.root) };
  if (kept) await requireGrown(kept, now);
  const since = kept?.since ?? new Date().toISOString();
  localStorage.setItem(KEPT, JSON.stringify({ policy: text, since, ...now }));
  return { policy: text, since, isFirst: !kept, before: kept?.size ?? null, now: now.size };
}

async function requireGrown(before, now) {
  if (now.size < before.size) throw new LogChanged("verify.rollback", { before: before.size, now: now.size });
  const roots = before.size === now.size ? { first: now.root, second: now.root } : await rootsFromProof(before.size, now.size);
  if (roots.first !== before.root || roots.second !== now.root) throw new LogChanged("verify.inconsistent");
}

// Both roots as the nodes of a consistency proof give them (RFC 9162, 2.1.4.2); the nodes are read from tiles.
export async function rootsFromProof(first, second) {
  const tiles = new Map();
  const node = (start, end) => hashOf(start, end, second, tiles);
  let path = await Promise.all(proofRanges(first, second).map(([start, end]) => node(start, end)));
  if (Number.isInteger(Math.log2(first))) path = [await node(0, first), ...path];
  let [fn, sn] = [first - 1, second - 1];
  while (fn % 2 === 1) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  let [fr, sr] = [path[0], path[0]];
  for (const hash of path.slice(1)) {
    if (fn % 2 === 1 || fn === sn) {
      [fr, sr] = [joined(hash, fr), joined(hash, sr)];
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
    } else {
      sr = joined(sr, hash);
    }
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return { first: hex(fr), second: hex(sr) };
}

// Which stretches of leaves the proof's hashes stand for, in its order.
function proofRanges(first, second) {
  const walk = (m, start, end, whole) => {
    if (m === end - start) return whole ? [] : [[start, end]];
    const half = halfOf(end - start);
    return m <= half
      ? [...walk(m, start, start + half, whole), [start + half, end]]
      : [...walk(m - half, start + half, end, false), [start, start + half]];
  };
  return walk(first, 0, second, true);
}

const halfOf = (count) => 2 ** Math.ceil(Math.log2(count) - 1);

async function hashOf(start, end, size, tiles) {
  const count = end - start;
  const level = Math.log2(count);
  if (Number.isInteger(level) && level % 8 === 0 && start % count === 0) return stored(level / 8, start / count, size, tiles);
  const half = halfOf(count);
  const [left, right] = await Promise.all([
    hashOf(start, start + half, size, tiles), hashOf(start + half, end, size, tiles)]);
  return joined(left, right);
}

async function stored(level, index, size, tiles) {
  const number = Math.floor(index / TILE);
  const there = Math.floor(size / TILE ** level) - number * TILE;
  const path = `/log/tile/${level}/${numbered(number)}${there < TILE ? `.p/${there}` : ""}`;
  if (!tiles.has(path)) tiles.set(path, bytes(path));
  const place = (index % TILE) * 32;
  return (await tiles.get(path)).slice(place, place + 32);
}

function numbered(number) {
  const parts = [String(number % 1000).padStart(3, "0")];
  for (let rest = Math.floor(number / 1000); rest; rest = Math.floor(rest / 1000)) parts.unshift(`x${String(rest % 1000).padStart(3, "0")}`);
  return parts.join("/");
}

const joined = (left, right) => sha256(Uint8Array.of(1), left, right);
