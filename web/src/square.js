/** A square that is drawn into a picture with a finger or a mouse, from corner to corner. */

/** A smaller share of the picture's shorter side is taken for a slip of the finger. */
const SMALLEST = 0.05;

/**
 * @param {HTMLCanvasElement} canvas whose pixels are the picture's
 * @param {() => boolean} wanted whether a square may be drawn now
 * @param {(region: import("./crop.js").Region) => void} changed hears of the square while it is drawn
 * @param {(region: import("./crop.js").Region | null) => void} drawn hears of the final square, null for a slip
 */
export function drawnSquare(canvas, wanted, changed, drawn) {
  /** @type {[number, number] | null} */
  let start = null;

  /** @returns {[number, number]} */
  const place = (/** @type {PointerEvent} */ event) => {
    const box = canvas.getBoundingClientRect(), scale = canvas.width / box.width;
    return [(event.clientX - box.left) * scale - 0.5, (event.clientY - box.top) * scale - 0.5];
  };
  const square = (/** @type {PointerEvent} */ event) => {
    const [x0, y0] = start, [x1, y1] = place(event);
    return { x: (x0 + x1) / 2, y: (y0 + y1) / 2, side: Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1) };
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (!wanted() || !event.isPrimary) return;
    start = place(event);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (start) changed(square(event));
  });
  canvas.addEventListener("pointerup", (event) => {
    if (!start) return;
    const region = square(event);
    start = null;
    drawn(region.side < SMALLEST * Math.min(canvas.width, canvas.height) ? null : region);
  });
  canvas.addEventListener("pointercancel", () => {
    start = null;
    drawn(null);
  });
}
