/**
 * Selection of a model from those that are served with the page.
 *
 * @typedef {{variant: string, precision: string, file: string, champion?: string}} Entry  of the list of models;
 *   `champion` describes the promotion of the champion's file
 */

import { fetchFile } from "./fetch_file.js";

export const INDEX = "models/index.json";
/** The model that is selected initially, if it exists and there is no champion. */
const DEFAULT = { variant: "final", precision: "float32" };

/** Radio buttons for the variants and for the precisions of the selected variant. */
export class ModelPicker {
  #variants;
  #precisions;
  #onSelect;
  /** @type {Entry[]} */
  #entries = [];
  /** Variant whose precisions are offered. */
  #variant = "";

  /**
   * @param {HTMLElement} variants element for the variants' buttons
   * @param {HTMLElement} precisions element for the precisions' buttons
   * @param {(name: string, read: () => Promise<Uint8Array>, entry: Entry) => Promise<void>} onSelect is called with
   *   each selection
   */
  constructor(variants, precisions, onSelect) {
    this.#variants = variants;
    this.#precisions = precisions;
    this.#onSelect = onSelect;
  }

  /** URLs of all models. */
  get files() {
    return this.#entries.map(({ file }) => file);
  }

  /**
   * Load the list of models and select the default model if a selection is still required.
   *
   * @param {() => boolean} isNeeded
   * @returns {Promise<boolean>} whether there are any models
   */
  async load(isNeeded) {
    this.#entries = await (await fetchFile(INDEX, { cache: "no-cache" })).json();
    const first = this.#entries.find(({ champion }) => champion) ?? this.#closest(DEFAULT) ?? this.#entries[0];
    if (first) this.#offer(first);
    if (first && isNeeded()) await this.#select(first);
    return this.#entries.length > 0;
  }

  /** Show which model is in use, null for one that is not served with the page. */
  show(/** @type {Entry | null} */ entry) {
    if (entry) this.#offer(entry);
    for (const input of radios(this.#variants)) input.checked = input.value === entry?.variant;
    for (const input of radios(this.#precisions)) input.checked = input.value === entry?.precision;
  }

  /** Offer all variants, and the precisions of the variant of an entry; none is checked. */
  #offer(/** @type {Entry} */ { variant }) {
    this.#variant = variant;
    const entries = this.#entries.filter((entry) => entry.variant === variant);
    this.#setRadios(this.#variants, "variant", this.#entries);
    this.#setRadios(this.#precisions, "precision", entries);
    const legend = this.#precisions.querySelector("legend");
    if (legend) legend.textContent = `Precision of ${variant}`;
  }

  #select(/** @type {Entry} */ entry) {
    this.show(entry);
    const read = async () => new Uint8Array(await (await fetchFile(entry.file)).arrayBuffer());
    return this.#onSelect(`${entry.variant} ${entry.precision}`, read, entry);
  }

  /**
   * Replace a group of radio buttons if it offers other values; the buttons of the champion are marked.
   *
   * @param {HTMLElement} group
   * @param {"variant" | "precision"} key
   * @param {Entry[]} entries
   */
  #setRadios(group, key, entries) {
    const values = [...new Set(entries.map((entry) => entry[key]))];
    if (radios(group).map((input) => input.value).join() !== values.join()) {
      group.querySelectorAll("label").forEach((label) => label.remove());
      group.append(...values.map((value) => this.#createRadio(key, value)));
    }
    for (const input of radios(group)) {
      const isChampion = entries.some((entry) => entry[key] === input.value && entry.champion);
      input.closest("label")?.classList.toggle("champion", isChampion);
    }
  }

  #createRadio(/** @type {"variant" | "precision"} */ key, /** @type {string} */ value) {
    const label = document.createElement("label"), input = document.createElement("input");
    Object.assign(input, { type: "radio", name: key, value });
    input.addEventListener("change", () => {
      const selected = { variant: this.#variant, precision: checkedValue(this.#precisions) };
      const entry = this.#closest({ ...selected, [key]: value });
      if (entry) this.#select(entry);
    });
    label.className = "button";
    label.append(value, input);
    return label;
  }

  /** Return the model of a variant in a precision, or in another precision if that does not exist. */
  #closest(/** @type {{variant?: string, precision?: string}} */ { variant, precision }) {
    const entries = this.#entries.filter((entry) => entry.variant === variant);
    return entries.find((entry) => entry.precision === precision) ?? entries[0];
  }
}

function radios(/** @type {HTMLElement} */ group) {
  return [...group.querySelectorAll("input")];
}

function checkedValue(/** @type {HTMLElement} */ group) {
  return radios(group).find((input) => input.checked)?.value;
}
