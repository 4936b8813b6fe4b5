/** What a TFLite file says of itself, as in splitpose/inference/metadata.py: a JSON in the file's own metadata. */

const NAME = "splitpose", IDENTIFIER = "TFL3";
/** Places of the fields in the tables of TFLite's schema. */
const MODEL = { buffers: 4, metadata: 6 }, METADATA = { name: 0, buffer: 1 }, BUFFER = { data: 0 };

const text = (value) => typeof value === "string";
const number = (value) => typeof value === "number";
const positive = (value) => number(value) && value > 0;
const oneOf = (...values) => (value) => values.includes(value);

/** What the page needs of a card; the rest is only shown. */
const NEEDED = {
  format: oneOf(1),
  variant: text,
  precision: text,
  joints: (value) => Array.isArray(value) && value.length > 0 && value.every(text),
  size: positive,
  crop_around: oneOf("joints", "box"),
  crop_margin: positive,
  output: oneOf("coordinates", "heatmaps"),
  heatmap_width: (value) => value === null || positive(value),
  decoding: oneOf(null, "argmax", "dark"),
};

/**
 * @typedef {{variant: string, precision: string, joints: string[], size: number, crop_around: string,
 *   crop_margin: number, viewpoint: string, output: "coordinates" | "heatmaps", heatmap_width: number | null,
 *   decoding: "argmax" | "dark" | null}} Card
 */

/**
 * The card of a TFLite file, null if it has none (it is not of this project, or older).
 *
 * @param {Uint8Array} file
 * @returns {Card | null}
 * @throws {Error} where it is no TFLite file, or its card cannot be understood
 */
export function readCard(file) {
  if (String.fromCharCode(...file.subarray(4, 8)) !== IDENTIFIER) throw new Error("not a TFLite file");
  const content = found(file);
  if (content === null) return null;
  const broken = (why) => new Error(`its card cannot be read (${why}); convert the model anew`);
  let card;
  try {
    card = JSON.parse(content);
  } catch {
    throw broken("not valid JSON");
  }
  for (const [key, fits] of Object.entries(NEEDED)) {
    if (!fits(card?.[key])) throw broken(key);
  }
  return card;
}

/** The text of the entry with our name, null if there is none. */
function found(/** @type {Uint8Array} */ file) {
  const flat = new FlatBuffer(file);
  try {
    const model = flat.follow(0);
    for (const entry of flat.tables(flat.field(model, MODEL.metadata))) {
      if (decoded(flat.bytes(flat.field(entry, METADATA.name))) !== NAME) continue;
      const place = flat.field(entry, METADATA.buffer);
      const buffer = flat.tables(flat.field(model, MODEL.buffers))[place ? flat.word(place) : 0];
      if (buffer === undefined) throw new RangeError("a buffer that is not there");
      return decoded(flat.bytes(flat.field(buffer, BUFFER.data)));
    }
    return null;
  } catch (error) {
    if (error instanceof RangeError) throw new Error("the TFLite file is damaged or cut short", { cause: error });
    throw error;
  }
}

const decoded = (/** @type {Uint8Array} */ bytes) => new TextDecoder().decode(bytes);

/** The few things of the FlatBuffers format that are needed; a place outside the file is a RangeError. */
class FlatBuffer {
  constructor(/** @type {Uint8Array} */ file) {
    this.view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  }

  /** The unsigned number there. */
  word(/** @type {number} */ place) {
    return this.view.getUint32(place, true);
  }

  /** Where the offset there leads. */
  follow(/** @type {number} */ place) {
    return place + this.word(place);
  }

  /** Where a table has a field, 0 if it has not. */
  field(/** @type {number} */ table, /** @type {number} */ number) {
    const layout = table - this.view.getInt32(table, true), slot = 4 + 2 * number;
    const offset = slot < this.view.getUint16(layout, true) ? this.view.getUint16(layout + slot, true) : 0;
    return offset && table + offset;
  }

  /** The tables of a vector field; none if it is not there. @returns {number[]} */
  tables(/** @type {number} */ field) {
    if (!field) return [];
    const vector = this.follow(field), length = this.word(vector);
    if (4 * length > this.view.byteLength) throw new RangeError("a vector longer than the file");
    return Array.from({ length }, (_, k) => this.follow(vector + 4 + 4 * k));
  }

  /** The bytes of a vector or string field; none if it is not there. */
  bytes(/** @type {number} */ field) {
    if (!field) return new Uint8Array();
    const vector = this.follow(field);
    return new Uint8Array(this.view.buffer, this.view.byteOffset + vector + 4, this.word(vector));
  }
}
