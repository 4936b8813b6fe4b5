/**
 * Selection of a model from those that are served with the page.
 *
 * @typedef {{variant: string, precision: string, file: string}} Entry  of the list of models
 */

import { fetchFile } from "./fetch_file.js";

export const INDEX = "models/index.json";
/** The model that is selected initially, if it exists. */
const DEFAULT = { variant: "final", precision: "float32" };

/** Radio buttons for the variants and for the precisions of the selected variant. */
export class ModelPicker {
  #variants;
  #precisions;
  #onSelect;
  /** @type {Entry[]} */
  #entries = [];

  /**
   * @param {HTMLElement} variants element for the variants' buttons
   * @param {HTMLElement} precisions element for the precisions' buttons
   * @param {(name: string, read: () => Promise<Uint8Array>) => Promise<void>} onSelect is called with each selection
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
    const first = this.#closest(DEFAULT) ?? this.#entries[0];
    if (first) this.#show(this.#variants, "variant", this.#variantNames(), null);
    if (first && isNeeded()) await this.#select(first);
    return this.#entries.length > 0;
  }

  /** Deselect all models. */
  clear() {
    for (const input of [...radios(this.#variants), ...radios(this.#precisions)]) input.checked = false;
  }

  #select(/** @type {Entry} */ { variant, precision, file }) {
    this.#show(this.#variants, "variant", this.#variantNames(), variant);
    const precisions = this.#entries.filter((entry) => entry.variant === variant).map((entry) => entry.precision);
    this.#show(this.#precisions, "precision", precisions, precision);
    const read = async () => new Uint8Array(await (await fetchFile(file)).arrayBuffer());
    return this.#onSelect(`${variant} ${precision}`, read);
  }

  /**
   * Show radio buttons and check one of them.
   *
   * @param {HTMLElement} group
   * @param {"variant" | "precision"} key
   * @param {string[]} values
   * @param {string | null} checked
   */
  #show(group, key, values, checked) {
    const shown = radios(group).map((input) => input.value);
    if (shown.join() !== values.join()) {
      group.querySelectorAll("label").forEach((label) => label.remove());
      group.append(...values.map((value) => this.#createRadio(key, value)));
    }
    for (const input of radios(group)) input.checked = input.value === checked;
  }

  #createRadio(/** @type {"variant" | "precision"} */ key, /** @type {string} */ value) {
    const label = document.createElement("label"), input = document.createElement("input");
    Object.assign(input, { type: "radio", name: key, value });
    input.addEventListener("change", () => {
      const selected = { variant: checkedValue(this.#variants), precision: checkedValue(this.#precisions) };
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

  #variantNames() {
    return [...new Set(this.#entries.map((entry) => entry.variant))];
  }
}

function radios(/** @type {HTMLElement} */ group) {
  return [...group.querySelectorAll("input")];
}

function checkedValue(/** @type {HTMLElement} */ group) {
  return radios(group).find((input) => input.checked)?.value;
}
