/** Following a person from picture to picture, as in splitpose/inference/person_tracker.py. */

import { wholePicture } from "./crop.js";
import { search, SIDES, sure } from "./search.js";

/** A person counts as lost below this share of the confidence that is usual for this person. */
const LOST = 0.85;
/** Share of a picture in what is usual. */
const FORGETTING = 0.03;
/** Longer sides of the picture: no person's square is larger or smaller. */
const LARGEST = 1.5, SMALLEST = 0.02;
/** Seconds from one search to the next, and how many times as many after each that found nobody better. */
const PAUSE = 1 / 3, GROWTH = 4;
/** A video is searched again and again, so that squares of the smallest size, two thirds of all, are left out. */
const SEARCHED = SIDES.slice(0, 2);

/** Follows one person, who is searched at first. */
export class Follower {
  #around;
  #usual = 0;
  #pause = PAUSE;
  #next = -Infinity;
  /** Where the person is looked at next. @type {import("./crop.js").Region | null} */
  #region = null;

  constructor(/** @type {import("./search.js").Around} */ around) {
    this.#around = around;
  }

  /**
   * The person in the next picture.
   *
   * @param {import("./search.js").Look} look at a square of it
   * @param {number} width of it
   * @param {number} height of it
   * @param {() => number} clock seconds
   * @returns {Promise<import("./search.js").Seen>}
   */
  async see(look, width, height, clock) {
    let seen = this.#region && (await look(this.#region));
    const isLost = !seen || sure(seen) < LOST * this.#usual;
    if (isLost) this.#next = Math.min(this.#next, clock() + PAUSE);
    if (clock() >= this.#next) {
      const found = await search(look, width, height, this.#around, SEARCHED);
      const isBetter = !seen || sure(found) > sure(seen) / (isLost ? 1 : LOST);
      this.#pause = isBetter ? PAUSE : GROWTH * this.#pause;
      this.#next = clock() + this.#pause;
      if (isBetter) seen = found;
    }
    seen ??= await look(wholePicture(width, height));
    const now = sure(seen);
    this.#usual += this.#usual ? FORGETTING * (Math.max(now, LOST * this.#usual) - this.#usual) : now;
    const next = this.#around(seen.joints);
    this.#region = isInside(next, width, height) ? next : null;
    return seen;
  }
}

function isInside(/** @type {import("./crop.js").Region} */ { x, y, side }, width, height) {
  const share = side / Math.max(width, height);
  return x >= 0 && x < width && y >= 0 && y < height && share >= SMALLEST && share <= LARGEST;
}
