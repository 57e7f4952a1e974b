// audiowaveform's .dat, version 2, 8 bits, one channel, as the service makes it: lowest and highest sample of each pixel.

export function readWaveform(raw) {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  if (raw.length < 24 || view.getInt32(0, true) !== 2 || !(view.getUint32(4, true) & 1)) return null;
  const [rate, perPixel, length] = [view.getInt32(8, true), view.getInt32(12, true), view.getUint32(16, true)];
  if (raw.length < 24 + length * 2) return null;
  return { msPerPixel: (perPixel * 1000) / rate, length, low: (i) => view.getInt8(24 + 2 * i), high: (i) => view.getInt8(25 + 2 * i) };
}

// Peaks for so many columns, each the extremes of all it stands for.
export function columnsOf(waveform, columns, longMs) {
  return Array.from({ length: columns }, (_, column) => {
    const from = Math.floor(((column / columns) * longMs) / waveform.msPerPixel);
    const to = Math.max(from + 1, Math.floor((((column + 1) / columns) * longMs) / waveform.msPerPixel));
    let [low, high] = [0, 0];
    for (let i = from; i < Math.min(to, waveform.length); i++) {
      low = Math.min(low, waveform.low(i));
      high = Math.max(high, waveform.high(i));
    }
    return [low, high];
  });
}
