/**
 * The displayed image with its drawing.
 *
 * @typedef {import("./geometry.js").CropRegion} CropRegion
 * @typedef {import("./sliding_window.js").Prediction} Prediction
 * @typedef {import("./sources.js").Source} Source
 */

import { drawStrokes, strokes } from "./drawing.js";
import { ImagePyramid } from "./geometry.js";

export class ImageView {
  #context;
  /** The source's image at the time of the latest capture, as that of a video changes. */
  #frame = context2d(document.createElement("canvas"), { willReadFrequently: true });

  constructor(/** @type {HTMLCanvasElement} */ canvas) {
    this.canvas = canvas;
    this.#context = context2d(canvas);
  }

  /** Copy the current image of a source, and return its pixels. */
  capture(/** @type {Source} */ { content, width, height }) {
    this.#frame.canvas.width = width;
    this.#frame.canvas.height = height;
    this.#frame.drawImage(content, 0, 0, width, height);
    return new ImagePyramid(this.#frame.getImageData(0, 0, width, height));
  }

  /** Draw the captured image, and the outlines of regions. */
  drawImage(/** @type {CropRegion[]} */ regions) {
    const { width, height } = this.#frame.canvas, context = this.#context;
    const thickness = Math.max(1, Math.min(width, height) / 300);
    this.canvas.width = width;
    this.canvas.height = height;
    this.canvas.style.setProperty("--ratio", String(width / height));
    context.drawImage(this.#frame.canvas, 0, 0);
    context.setLineDash([4 * thickness, 3 * thickness]);
    context.lineWidth = thickness;
    context.strokeStyle = "#ffffff";
    for (const { x, y, side } of regions) context.strokeRect(x + 0.5 - side / 2, y + 0.5 - side / 2, side, side);
    context.setLineDash([]);
  }

  /**
   * Draw the captured image, and people with the outlines of their regions.
   *
   * @param {Prediction[]} people
   * @param {string[]} joints names in the order of the predictions
   */
  drawPeople(people, joints) {
    this.drawImage(people.map(({ region }) => region));
    const { width, height } = this.canvas;
    for (const person of people) {
      drawStrokes(this.#context, strokes(person.joints, person.confidence, joints, width, height));
    }
  }

  /** Set the description that screen readers read. */
  describe(/** @type {string} */ text) {
    this.canvas.setAttribute("aria-label", text);
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasRenderingContext2DSettings} settings
 */
function context2d(canvas, settings = {}) {
  const context = canvas.getContext("2d", settings);
  if (!context) throw new Error("this browser does not support 2D canvases");
  return context;
}
