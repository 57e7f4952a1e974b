// One picture of the original, below the player: asked for by the time of the picture that the browser confirmed, with the
// statement that came with it. It is on record before it comes.

import { html, useEffect, useState } from "./vendor/preact-htm.js";
import { picture } from "./api.js";
import { Digest, Failure, bytesText, clockText } from "./parts.js";
import { usePurpose } from "./purpose.js";
import { t } from "./words.js";

// Players' times are fractions of a second in floating point: a hundredth of a millisecond is forgiven, then rounded down.
export const wholeMs = (ms) => Math.max(0, Math.floor(ms + 0.01));

export function Still({ clip, ms, onSeek, onClose }) {
  const [purpose] = usePurpose();
  const [state, setState] = useState({});
  const [wanted, setWanted] = useState({ at_ms: wholeMs(ms) });

  useEffect(() => {
    const giving = new AbortController();
    let shown = null;
    setState({});
    picture(`/v1/clips/${clip}/stills`, { purpose, ...wanted }, giving.signal).then(({ blob, statement }) => {
      shown = URL.createObjectURL(blob);
      const said = URL.createObjectURL(new Blob([JSON.stringify(statement, null, 1)], { type: "application/json" }));
      setState({ image: shown, said, statement });
    }, (problem) => { if (problem.name !== "AbortError") setState({ problem }); });
    return () => { giving.abort(); if (shown) URL.revokeObjectURL(shown); };
  }, [clip, wanted]);

  const { image, said, statement, problem } = state;
  const next = problem?.details.details?.next_frame;
  return html`<section class="card still" aria-label=${t("still.title")}>
    <p class="row"><strong class="grow">${t("still.title")}</strong><button type="button" onClick=${onClose}>${t("still.close")}</button></p>
    ${problem && html`<${Failure} problem=${problem} retry=${() => setWanted({ ...wanted })} />`}
    ${next !== undefined && html`<button type="button" onClick=${() => setWanted({ frame: next })}>${t("still.next", { frame: next })}</button>`}
    ${!statement && !problem && html`<p class="quiet" role="status">${t("state.loading")}</p>`}
    ${statement && html`<a href=${image} target="_blank" rel="noopener"><img src=${image} alt=${t("still.title")} /></a>
      <p class="row"><a class="save" href=${image} download=${`${clip}-${statement.picture.frame}.png`}>${t("still.save")}</a>
        <a href=${said} download=${`${clip}-${statement.picture.frame}.json`}>${t("still.statement")}</a></p>
      <${Statement} said=${statement} onSeek=${onSeek} />`}
  </section>`;
}

function Statement({ said, onSeek }) {
  const { picture: shown, png, pixels, decoder, key } = said;
  const read = said.bytes.reduce((sum, [from, to]) => sum + to - from, 0);
  return html`<dl class="facts">
    <div><dt>${t("still.picture")}</dt><dd>${t("still.number", { frame: shown.frame, of: shown.of })} <button type="button" class="plain" onClick=${() => onSeek(shown.at_ms)}>${clockText(shown.at_ms)}</button></dd></div>
    <div><dt>pts</dt><dd>${shown.pts} × ${shown.unit.join("/")} s</dd></div>
    <div><dt>${t("still.size")}</dt><dd>${png.width} × ${png.height}, ${bytesText(png.size)}${said.turn.degrees ? `, ${said.turn.degrees}°` : ""}</dd></div>
    <div><dt>${t("still.from")}</dt><dd>${t("still.read", { key: key.frame, bytes: bytesText(read), all: bytesText(said.original.size) })}</dd></div>
    <div><dt>SHA-256 PNG</dt><dd><${Digest} hex=${png.sha256} /></dd></div>
    <div><dt>${t("still.pixels")}</dt><dd><${Digest} hex=${pixels.sha256} /> ${pixels.format}</dd></div>
    <div><dt>${t("clip.digest")}</dt><dd><${Digest} hex=${said.original.sha256} /></dd></div>
    <div><dt>${t("still.decoder")}</dt><dd>${decoder.name}, libavcodec ${decoder.libavcodec}</dd></div>
    ${pixels.errors > 0 && html`<div><dt>${t("still.errors")}</dt><dd>${pixels.errors}</dd></div>`}
    <div><dt>${t("still.entry")}</dt><dd><code class="small">${said.entry}</code></dd></div>
  </dl>`;
}
