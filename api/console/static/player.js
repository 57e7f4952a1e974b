// The player. Its clock is the picture that is on the screen: where the browser tells which one that is
// (requestVideoFrameCallback), every time shown is that picture's own.

import { html, Component } from "./vendor/preact-htm.js";
import { clockText, shownText } from "./parts.js";
import { t, titled } from "./words.js";

const CONFIRMING_FRAMES = 30;
const SPEEDS = [0.25, 0.5, 1, 1.5, 2, 4, 8];
const MARKS = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
let library = null;

export class Player extends Component {
  constructor(props) {
    super(props);
    this.film = { current: null };
    this.state = { ms: props.start ?? 0, playing: false, speed: 1, captions: false };
    this.confirmed = null;
    this.keys = this.keys.bind(this);
  }

  componentDidMount() {
    addEventListener("keydown", this.keys);
    const film = this.film.current;
    if (!film) return;
    film.addEventListener("loadedmetadata", () => this.seek(this.props.start ?? 0), { once: true });
    const { url, playlist } = this.props.view;
    film.src = url;
    // Where the file as a whole does not play, its pieces may.
    film.addEventListener("error", () => { if (playlist && !this.hls) void this.playPieces(); });
    this.captions = film.addTextTrack("captions", t("player.captions"), "zh");
    this.caption();
    film.addEventListener("seeking", () => { this.confirmed = null; });
    if ("requestVideoFrameCallback" in film) this.follow();
    else film.addEventListener("timeupdate", () => this.at(film.currentTime * 1000));
  }

  componentDidUpdate(before) {
    if (before.said !== this.props.said && this.captions) this.caption();
  }

  // Captions are what people stand for in the annotation, each with who speaks.
  caption() {
    for (const cue of [...(this.captions.cues ?? [])]) this.captions.removeCue(cue);
    const { said, words } = this.props;
    const names = new Map((said?.speakers ?? []).map((one) => [one.key, one.name || titled(words.speakers, one.role)]));
    for (const part of said?.dialogue ?? []) {
      const who = names.get(part.speaker);
      const cue = new VTTCue(part.from_ms / 1000, part.to_ms / 1000, shownText(who ? `${who}：${part.text}` : part.text).replace(/[&<>]/g, (sign) => MARKS[sign]));
      this.captions.addCue(cue);
    }
  }

  componentWillUnmount() {
    removeEventListener("keydown", this.keys);
    this.hls?.destroy();
  }

  follow() {
    this.film.current?.requestVideoFrameCallback((_, { mediaTime }) => {
      this.confirmed = mediaTime * 1000;
      this.at(this.confirmed);
      this.follow();
    });
  }

  async playPieces() {
    library ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = self.trustedTypes ? playerAddress.createScriptURL("vendor/hls.light.min.js") : "vendor/hls.light.min.js";
      script.onload = () => resolve(self.Hls);
      script.onerror = reject;
      document.head.append(script);
    });
    const Hls = await library;
    if (!Hls.isSupported() || !this.film.current) return;
    this.hls = new Hls({ enableWorker: false });
    this.hls.loadSource(`${this.props.view.url}/playlist`);
    this.hls.attachMedia(this.film.current);
  }

  at(ms) {
    this.setState({ ms });
    this.props.onTime(ms);
  }

  seek(ms) {
    const film = this.film.current;
    if (!film) return;
    film.currentTime = Math.min(Math.max(0, ms / 1000), film.duration || Infinity);
    this.at(film.currentTime * 1000);
  }

  // Half a frame beyond where it begins, so that no rounding shows the one before.
  step(frames) {
    this.film.current?.pause();
    const one = 1000 / this.props.frameRate;
    this.seek((Math.round(this.state.ms / one) + frames + 0.5) * one);
  }

  // The picture that is on the screen, from the original: once the browser has said which one that is. It says nothing
  // where a jump ends at the picture it began with; then its clock tells.
  still(patience = CONFIRMING_FRAMES) {
    const film = this.film.current;
    film?.pause();
    if (!film || (patience <= 0 && film.readyState < 2)) return;
    if (!film.seeking && film.readyState >= 2 && (this.confirmed !== null || patience <= 0)) this.props.onStill(this.confirmed ?? film.currentTime * 1000);
    else requestAnimationFrame(() => this.still(film.seeking ? CONFIRMING_FRAMES : patience - 1));
  }

  toggle() {
    const film = this.film.current;
    if (film) void (film.paused ? film.play() : film.pause());
  }

  keys(event) {
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " " && event.target.tagName === "BUTTON") return;
    const done = {
      " ": () => this.toggle(),
      k: () => this.film.current?.pause(),
      j: () => this.seek(this.state.ms - 5000),
      l: () => this.seek(this.state.ms + 5000),
      ArrowLeft: () => (event.shiftKey ? this.seek(this.state.ms - 1000) : this.step(-1)),
      ArrowRight: () => (event.shiftKey ? this.seek(this.state.ms + 1000) : this.step(1)),
      "[": () => this.props.onRange(0, Math.round(this.state.ms)),
      "]": () => this.props.onRange(1, Math.round(this.state.ms)),
      m: () => this.props.onMark(),
      o: () => this.still(),
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!done) return;
    event.preventDefault();
    done();
  }

  speed(value) {
    this.setState({ speed: value });
    this.film.current.playbackRate = value;
  }

  turnCaptions() {
    const captions = !this.state.captions;
    this.captions.mode = captions ? "showing" : "disabled";
    this.setState({ captions });
  }

  render({ view, onRange, onMark, said }, { ms, playing, speed, captions }) {
    if (view.type.startsWith("image/")) return html`<div class="screen"><img src=${view.url} alt="" /><p class="quiet small">${t("view.active")}</p></div>`;
    return html`<div class="screen">
      <video ref=${this.film} playsinline preload="metadata" aria-label=${t("player.timeline")} onClick=${() => this.toggle()}
        onPlay=${() => this.setState({ playing: true })} onPause=${() => this.setState({ playing: false })}></video>
      <div class="controls">
        <button type="button" onClick=${() => this.toggle()}>${t(playing ? "player.pause" : "player.play")}</button>
        <button type="button" onClick=${() => this.step(-1)} aria-label=${t("player.frame_back")}>◀|</button>
        <button type="button" onClick=${() => this.step(1)} aria-label=${t("player.frame_on")}>|▶</button>
        <output class="clock">${clockText(ms)}</output>
        <label>${t("player.speed")} <select value=${speed} onChange=${(event) => this.speed(Number(event.target.value))}>
          ${SPEEDS.map((value) => html`<option value=${value} selected=${value === speed}>${value}×</option>`)}</select></label>
        <button type="button" onClick=${() => onRange(0, Math.round(ms))}>${t("player.range_from")}</button>
        <button type="button" onClick=${() => onRange(1, Math.round(ms))}>${t("player.range_to")}</button>
        ${said?.dialogue?.length > 0 && html`<button type="button" class="captions" aria-pressed=${captions} onClick=${() => this.turnCaptions()}>${t("player.captions")}</button>`}
        <button type="button" onClick=${onMark}>${t("player.marker")}</button>
        <button type="button" class="of-original" onClick=${() => this.still()}>${t("player.still")}</button>
      </div>
      <p class="quiet small">${t("view.active")} · ${t("player.keys")} · ${t("player.still_key")}</p>
    </div>`;
  }
}

const playerAddress = self.trustedTypes?.createPolicy("shilu-player", { createScriptURL: (address) => address });
