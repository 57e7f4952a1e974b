// Looking at the pictures of a page of results: one request, one entry on record, one address below which they are.

import { useEffect, useRef, useState } from "./vendor/preact-htm.js";
import { bytes, call } from "./api.js";

// Looks at each page of clips once for a purpose, as long as they are wanted. Of a page: `{ url, until, kinds }`, the kinds of
// picture by clip; or `{ problem }`; or nothing yet. `again(page)` asks anew, once the old address is used up.
export function useLooks(pages, purpose, wanted) {
  const [looks, setLooks] = useState([]);
  const asked = useRef([]);
  const present = useRef(purpose);
  present.current = purpose;

  async function look(page) {
    asked.current[page] = purpose;
    // An answer for the purpose of before is on record, and shown no more.
    const settle = (found) => present.current === purpose && setLooks((before) => Object.assign([...before], { [page]: found }));
    try {
      const { data } = await call("POST", "/v1/looks", { body: { purpose, clips: pages[page].map((item) => item.clip) } });
      const kinds = new Map(data.clips.map((seen) => [seen.clip, new Set(seen.kinds)]));
      settle({ url: data.url, until: Date.parse(data.expires_at), kinds });
    } catch (problem) {
      settle({ problem });
    }
  }

  useEffect(() => {
    if (!wanted || !purpose) return;
    pages.forEach((_, page) => { if (asked.current[page] !== purpose) void look(page); });
  }, [pages, purpose, wanted]);

  function again(page) {
    setLooks((before) => Object.assign([...before], { [page]: undefined }));
    void look(page);
  }
  return [looks, again];
}

const CUE = /^(?:(\d+):)?(\d\d):(\d\d)\.(\d{3}) --> \S+\n(storyboard-sheet)#xywh=(\d+),(\d+),(\d+),(\d+)$/;
const boards = new Map();

// The storyboard of a clip: its tiles with the millisecond from which each stands, and the sheet they are cut from.
export function boardAt(base) {
  if (!boards.has(base)) boards.set(base, readBoard(base).catch((problem) => { boards.delete(base); throw problem; }));
  return boards.get(base);
}

async function readBoard(base) {
  const text = new TextDecoder().decode(await bytes(`${base}/storyboard`));
  const sheet = new Image();
  sheet.src = `${base}/storyboard-sheet`;
  await sheet.decode();
  return { tiles: tilesOf(text), sheet: sheet.src, width: sheet.naturalWidth, height: sheet.naturalHeight };
}

function tilesOf(text) {
  const found = text.split(/\n\n+/).map((block) => CUE.exec(block.trim())).filter(Boolean);
  return found.map(([, hours = 0, minutes, seconds, ms, , ...box]) => {
    const [x, y, width, height] = box.map(Number);
    return { from: ((hours * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000 + Number(ms), x, y, width, height };
  });
}
