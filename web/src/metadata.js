/** Metadata embedded in a TFLite file as JSON, as in splitpose/inference/metadata.py. */

const ENTRY_NAME = "splitpose", IDENTIFIER = "TFL3";
/** Indices of the fields in the tables of TFLite's schema. */
const MODEL = { buffers: 4, metadata: 6 }, METADATA = { name: 0, buffer: 1 }, BUFFER = { data: 0 };

/** Keys of format 1 and their names in later formats. @type {Record<string, string>} */
const FORMAT_1_KEYS = {
  colours: "channel_order",
  crop_around: "region_from",
  crop_margin: "padding",
  heatmap_width: "heatmap_fwhm",
};

/** @typedef {(value: unknown) => boolean} Check */

/** @type {Check} */
const isText = (value) => typeof value === "string";
/** @type {Check} */
const isPositive = (value) => typeof value === "number" && value > 0;
/** @returns {Check} */
const isOneOf = (/** @type {unknown[]} */ ...values) => (value) => values.includes(value);

/** Checks of the values that the page uses; the others are only displayed. @type {Record<string, Check>} */
const CHECKS = {
  format: isOneOf(3),
  variant: isText,
  precision: isText,
  joints: (value) => Array.isArray(value) && value.length > 0 && value.every(isText),
  size: isPositive,
  region_from: isOneOf("joints", "bbox"),
  padding: isPositive,
  output: isOneOf("coordinates", "heatmaps"),
  heatmap_fwhm: (value) => value === null || isPositive(value),
  decoding: isOneOf(null, "argmax", "dark"),
};

/**
 * Input and output conventions of a TFLite file.
 *
 * @typedef {object} Metadata
 * @property {3} format
 * @property {string} variant
 * @property {string} precision
 * @property {string[]} joints names in the order of the output
 * @property {string} viewpoint
 * @property {number} size side of the crop, px
 * @property {string} channel_order
 * @property {[number, number]} channel_range
 * @property {"joints" | "bbox"} region_from
 * @property {number} padding
 * @property {"coordinates" | "heatmaps"} output
 * @property {number | null} heatmap_fwhm
 * @property {"argmax" | "dark" | null} decoding
 * @property {string} weights_sha256
 * @property {string} crops_sha256
 * @property {number | null} person_threshold
 * @property {object | null} training_groups
 */

/**
 * Read the metadata of a TFLite file, null if it has none.
 *
 * @param {Uint8Array} file
 * @returns {Metadata | null}
 * @throws {Error} if the file is not a TFLite file, or its metadata is not valid
 */
export function readMetadata(file) {
  if (String.fromCharCode(...file.subarray(4, 8)) !== IDENTIFIER) throw new Error("not a TFLite file");
  const json = embeddedJson(file);
  if (json === null) return null;
  const invalid = (/** @type {string} */ reason) =>
    new Error(`metadata cannot be read (${reason}); convert the model again`);
  let metadata;
  try {
    metadata = upgraded(JSON.parse(json));
  } catch {
    throw invalid("not valid JSON");
  }
  for (const [key, check] of Object.entries(CHECKS)) {
    if (!check(metadata?.[key])) throw invalid(key);
  }
  return { person_threshold: null, ...metadata };
}

/** Return the metadata in format 3: formats 1 and 2 are translated, anything else is returned unchanged. */
function upgraded(/** @type {any} */ metadata) {
  if (metadata?.format === 2) return { training_groups: null, ...metadata, format: 3 };
  if (metadata?.format !== 1) return metadata;
  const entries = Object.entries(metadata).map(([key, value]) => [FORMAT_1_KEYS[key] ?? key, value]);
  const translated = { ...Object.fromEntries(entries), format: 3, training_groups: null };
  return translated.region_from === "box" ? { ...translated, region_from: "bbox" } : translated;
}

/** Return the JSON of the entry named `ENTRY_NAME`, null if there is none. */
function embeddedJson(/** @type {Uint8Array} */ file) {
  const flat = new FlatBuffer(file);
  try {
    const model = flat.follow(0);
    for (const entry of flat.tables(flat.field(model, MODEL.metadata))) {
      if (decodeText(flat.bytes(flat.field(entry, METADATA.name))) !== ENTRY_NAME) continue;
      const index = flat.field(entry, METADATA.buffer);
      const buffer = flat.tables(flat.field(model, MODEL.buffers))[index ? flat.uint32(index) : 0];
      if (buffer === undefined) throw new RangeError("the buffer does not exist");
      return decodeText(flat.bytes(flat.field(buffer, BUFFER.data)));
    }
    return null;
  } catch (error) {
    if (error instanceof RangeError) {
      throw new Error("the TFLite file is damaged or truncated; copy or convert it again", { cause: error });
    }
    throw error;
  }
}

function decodeText(/** @type {Uint8Array} */ bytes) {
  return new TextDecoder().decode(bytes);
}

/** Minimal reader of the FlatBuffers format; a position outside the file raises a RangeError. */
class FlatBuffer {
  #view;

  constructor(/** @type {Uint8Array} */ file) {
    this.#view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  }

  /** Return the unsigned 32-bit integer at a position. */
  uint32(/** @type {number} */ position) {
    return this.#view.getUint32(position, true);
  }

  /** Return the position that the offset at a position refers to. */
  follow(/** @type {number} */ position) {
    return position + this.uint32(position);
  }

  /** Return the position of a table's field, 0 if the table does not have it. */
  field(/** @type {number} */ table, /** @type {number} */ index) {
    const vtable = table - this.#view.getInt32(table, true), slot = 4 + 2 * index;
    const offset = slot < this.#view.getUint16(vtable, true) ? this.#view.getUint16(vtable + slot, true) : 0;
    return offset && table + offset;
  }

  /** Return the positions of the tables in a vector field, [] if the field does not exist. @returns {number[]} */
  tables(/** @type {number} */ field) {
    if (!field) return [];
    const vector = this.follow(field), length = this.uint32(vector);
    if (4 * length > this.#view.byteLength) throw new RangeError("the vector is longer than the file");
    return Array.from({ length }, (_, k) => this.follow(vector + 4 + 4 * k));
  }

  /** Return the bytes of a vector or string field, none if the field does not exist. */
  bytes(/** @type {number} */ field) {
    if (!field) return new Uint8Array();
    const vector = this.follow(field);
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + vector + 4, this.uint32(vector));
  }
}
