/**
 * Selection of a square region of an image by dragging from corner to corner.
 *
 * @typedef {import("./geometry.js").CropRegion} CropRegion
 */

/** Minimum side of a region over the image's shorter side; a shorter drag is considered accidental. */
const MIN_SIDE = 0.05;

/**
 * Listen for selections.
 *
 * @param {HTMLCanvasElement} canvas whose pixels are those of the image
 * @param {object} callbacks
 * @param {() => boolean} callbacks.isEnabled
 * @param {(region: CropRegion) => void} callbacks.onChange receives the region during the drag
 * @param {(region: CropRegion | null) => void} callbacks.onSelect receives the region, null after an accidental drag
 */
export function enableRegionSelection(canvas, { isEnabled, onChange, onSelect }) {
  /** Corner at which the drag began. @type {[number, number] | null} */
  let start = null;

  /** Return the position of the pointer, image px. @returns {[number, number]} */
  const position = (/** @type {PointerEvent} */ event) => {
    const bounds = canvas.getBoundingClientRect(), scale = canvas.width / bounds.width;
    return [(event.clientX - bounds.left) * scale - 0.5, (event.clientY - bounds.top) * scale - 0.5];
  };
  /** @returns {CropRegion} */
  const regionFrom = (/** @type {[number, number]} */ [x0, y0], /** @type {PointerEvent} */ event) => {
    const [x1, y1] = position(event);
    return { x: (x0 + x1) / 2, y: (y0 + y1) / 2, side: Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1) };
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (!isEnabled() || !event.isPrimary) return;
    start = position(event);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (start) onChange(regionFrom(start, event));
  });
  canvas.addEventListener("pointerup", (event) => {
    if (!start) return;
    const region = regionFrom(start, event);
    start = null;
    onSelect(region.side < MIN_SIDE * Math.min(canvas.width, canvas.height) ? null : region);
  });
  canvas.addEventListener("pointercancel", () => {
    start = null;
    onSelect(null);
  });
}
