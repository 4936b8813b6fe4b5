/** Playback controls: pause, and for videos of known duration a seek bar. */

import { getElement } from "./dom.js";

/** @typedef {import("./sources.js").Source} Source */

export class SeekBar {
  #controls = getElement("playback", HTMLElement);
  #bar = getElement("seek", HTMLInputElement);
  #pause = getElement("pause", HTMLButtonElement);
  #time = getElement("time", HTMLElement);
  /** @type {Source | null} */
  #source = null;

  /** @param {(seconds: number) => void} onSeek receives the position that the user selects */
  constructor(onSeek) {
    this.#bar.addEventListener("input", () => onSeek(Number(this.#bar.value)));
    this.#pause.addEventListener("click", () => {
      this.#pause.textContent = this.#source?.togglePause() ? "Play" : "Pause";
    });
  }

  /** Control a source. */
  show(/** @type {Source} */ source) {
    this.#source = source;
    this.#controls.hidden = !source.isLive;
    this.#pause.textContent = "Pause";
    this.#bar.hidden = this.#time.hidden = source.duration === null;
    this.#bar.max = String(source.duration ?? 0);
    this.update();
  }

  /** Display the position of the source. */
  update() {
    if (!this.#source || this.#source.duration === null) return;
    const { time, duration } = this.#source;
    this.#bar.value = String(time);
    this.#time.textContent = `${formatSeconds(time)} / ${formatSeconds(duration)}`;
  }
}

/** Return a time as minutes and seconds, e.g. 1:02.5. */
function formatSeconds(/** @type {number} */ seconds) {
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${(seconds - 60 * minutes).toFixed(1).padStart(4, "0")}`;
}
