/**
 * The displayed result: its people drawn into the image and described in the status line, and the buttons that save
 * both.
 *
 * @typedef {import("./image_view.js").ImageView} ImageView
 * @typedef {import("./results.js").Result} Result
 */

import { getElement } from "./dom.js";
import { saveFile, toPng } from "./download.js";
import { describePeople, fileStem, resultToCoco, shownPeople } from "./results.js";

export class ResultView {
  #view;
  #threshold;
  #saveImageButton = getElement("save-image", HTMLButtonElement);
  #saveJsonButton = getElement("save-json", HTMLButtonElement);
  /** @type {Result | null} */
  #result = null;

  /**
   * @param {ImageView} view
   * @param {() => number} threshold returns the mean confidence below which a region shows no person
   * @param {(action: () => Promise<void>) => void} attempt runs an action of the user and shows its error, if any
   */
  constructor(view, threshold, attempt) {
    this.#view = view;
    this.#threshold = threshold;
    this.#saveImageButton.addEventListener("click", () => attempt(() => this.#saveImage()));
    this.#saveJsonButton.addEventListener("click", () => attempt(() => this.#saveJson()));
  }

  /** Whether the result has a person, whatever the score. */
  get hasPeople() {
    return Boolean(this.#result?.people.length);
  }

  /** Display a result, which can then be saved; null if there is none yet. */
  show(/** @type {Result | null} */ result) {
    this.#result = result;
    this.#saveImageButton.disabled = this.#saveJsonButton.disabled = result === null;
    if (result) this.#display(result);
  }

  /** Display the result of a still image again, as the threshold has changed. */
  update() {
    if (this.#result && !this.#result.source.isLive) this.#display(this.#result);
  }

  #display(/** @type {Result} */ result) {
    const threshold = this.#threshold(), people = shownPeople(result, threshold), { name, joints } = result.model;
    this.#view.drawPeople(people, joints);
    const content = people.length ? `with the joints that ${name} predicts` : `without a person according to ${name}`;
    this.#view.describe(`${result.source.name} ${content}`);
    const shownValues = people.map(({ joints, confidence, region }) => ({ joints, confidence, region }));
    this.#view.canvas.dataset.people = JSON.stringify(shownValues);
    this.#view.canvas.dataset.time = String(result.time);
    showStatus(describePeople(people, result.model, threshold));
  }

  /** Save the displayed image with its drawing as PNG. */
  async #saveImage() {
    if (this.#result) saveFile(await toPng(this.#view.canvas), `${fileStem(this.#result)}.png`);
  }

  /** Save the displayed people as COCO keypoints. */
  async #saveJson() {
    if (!this.#result) return;
    const content = JSON.stringify(resultToCoco(this.#result, this.#threshold()), null, 2);
    saveFile(new Blob([content], { type: "application/json" }), `${fileStem(this.#result)}.json`);
  }
}

/** Show a text in the status line. */
export function showStatus(/** @type {string} */ text) {
  getElement("status", HTMLElement).textContent = text;
}
