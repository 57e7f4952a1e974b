// SHA-256 (FIPS 180-4) over bytes as they come. WebCrypto has no streaming digest, and a recording does not fit in memory.

const SHA256_K = (() => {
  // The first 32 bits of the fractional parts of the cube roots of the first 64 primes, computed instead of listed.
  const isPrime = (n) => { for (let d = 2; d * d <= n; d++) if (n % d === 0) return false; return true; };
  const cubeRootBits = (prime) => {
    // The largest r with r^3 <= prime * 2^96 is the cube root times 2^32; its low 32 bits are the fraction.
    const target = BigInt(prime) << 96n;
    let root = 0n;
    for (let bit = 1n << 36n; bit; bit >>= 1n) if ((root + bit) ** 3n <= target) root += bit;
    return Number(root & 0xffffffffn) | 0;
  };
  const primes = [];
  for (let n = 2; primes.length < 64; n++) if (isPrime(n)) primes.push(n);
  return Int32Array.from(primes, cubeRootBits);
})();

class Sha256 {
  constructor() {
    this.state = Int32Array.of(
      0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19);
    this.schedule = new Int32Array(64);
    this.tail = new Uint8Array(64);
    this.tailBytes = 0;
    this.bytes = 0; // exact up to 2^53
  }

  update(data) {
    this.bytes += data.length;
    let offset = 0;
    if (this.tailBytes) {
      offset = Math.min(64 - this.tailBytes, data.length);
      this.tail.set(data.subarray(0, offset), this.tailBytes);
      this.tailBytes += offset;
      if (this.tailBytes < 64) return this;
      this.compress(this.tail, 0, 64);
      this.tailBytes = 0;
    }
    const whole = data.length - ((data.length - offset) % 64);
    this.compress(data, offset, whole);
    this.tail.set(data.subarray(whole));
    this.tailBytes = data.length - whole;
    return this;
  }

  digest() {
    const padding = new Uint8Array(this.tailBytes < 56 ? 64 - this.tailBytes : 128 - this.tailBytes);
    const bits = new DataView(padding.buffer);
    padding[0] = 0x80;
    bits.setBigUint64(padding.length - 8, BigInt(this.bytes) * 8n);
    this.update(padding);
    const result = new Uint8Array(32);
    const view = new DataView(result.buffer);
    this.state.forEach((word, index) => view.setInt32(index * 4, word));
    return result;
  }

  compress(data, start, end) {
    const w = this.schedule, k = SHA256_K, state = this.state;
    let [h0, h1, h2, h3, h4, h5, h6, h7] = state;
    for (let offset = start; offset < end; offset += 64) {
      for (let i = 0, at = offset; i < 16; i++, at += 4) {
        w[i] = (data[at] << 24) | (data[at + 1] << 16) | (data[at + 2] << 8) | data[at + 3];
      }
      for (let i = 16; i < 64; i++) {
        const x = w[i - 15], y = w[i - 2];
        const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
        const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
        w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
      }
      let a = h0, b = h1, c = h2, d = h3, e = h4, f = h5, g = h6, h = h7;
      for (let i = 0; i < 64; i++) {
        const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
        const t1 = (h + s1 + (g ^ (e & (f ^ g))) + k[i] + w[i]) | 0;
        const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
        const t2 = (s0 + ((a & b) | (c & (a | b)))) | 0;
        h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
      }
      h0 = (h0 + a) | 0; h1 = (h1 + b) | 0; h2 = (h2 + c) | 0; h3 = (h3 + d) | 0;
      h4 = (h4 + e) | 0; h5 = (h5 + f) | 0; h6 = (h6 + g) | 0; h7 = (h7 + h) | 0;
    }
    state.set([h0, h1, h2, h3, h4, h5, h6, h7]);
  }
}

function sha256(...parts) {
  const hasher = new Sha256();
  for (const part of parts) hasher.update(part);
  return hasher.digest();
}
