/**
 * The models that lie beside the page, and the choice between them.
 *
 * @typedef {{variant: string, precision: string, file: string}} Entry  of the index
 */

import { fetched } from "./fetched.js";

export const INDEX = "models/index.json";
/** Shown first, where it is among them. */
const FIRST = { variant: "final", precision: "float32" };

/**
 * @param {HTMLElement} variants where the variants are shown
 * @param {HTMLElement} precisions where the precisions of the chosen variant are shown
 * @param {(name: string, read: () => Promise<Uint8Array>) => Promise<void>} chosen hears of every choice
 */
export function chooseModels(variants, precisions, chosen) {
  /** @type {Entry[]} */
  let entries = [];

  function choose(/** @type {Entry} */ { variant, precision, file }) {
    show(variants, "variant", names(entries), variant);
    const others = entries.filter((entry) => entry.variant === variant);
    show(precisions, "precision", others.map((entry) => entry.precision), precision);
    const read = async () => new Uint8Array(await (await fetched(file)).arrayBuffer());
    return chosen(`${variant} ${precision}`, read);
  }

  function show(group, key, values, value) {
    const shown = [...group.querySelectorAll("input")].map((input) => input.value);
    if (shown.join() !== values.join()) {
      group.querySelectorAll("label").forEach((label) => label.remove());
      group.append(...values.map((each) => radio(key, each)));
    }
    group.querySelectorAll("input").forEach((input) => (input.checked = input.value === value));
  }

  function radio(key, value) {
    const label = document.createElement("label"), input = document.createElement("input");
    Object.assign(input, { type: "radio", name: key, value });
    input.addEventListener("change", () => choose(nearest({ ...current(), [key]: value })));
    label.className = "button";
    label.append(value, input);
    return label;
  }

  const checked = (group) => group.querySelector("input:checked")?.value;
  const current = () => ({ variant: checked(variants), precision: checked(precisions) });
  const nearest = ({ variant, precision }) => {
    const same = entries.filter((entry) => entry.variant === variant);
    return same.find((entry) => entry.precision === precision) ?? same[0];
  };

  return {
    /** Show what there is, and choose one of them where that is still wanted; whether there is any. */
    async offer(/** @type {() => boolean} */ wanted) {
      entries = await (await fetched(INDEX, { cache: "no-cache" })).json();
      const first = nearest(FIRST) ?? entries[0];
      if (first) show(variants, "variant", names(entries), undefined);
      if (first && wanted()) await choose(first);
      return entries.length > 0;
    },
    /** The addresses of all. */
    get files() {
      return entries.map(({ file }) => file);
    },
    /** None of them is used now. */
    none() {
      for (const group of [variants, precisions]) {
        group.querySelectorAll("input").forEach((input) => (input.checked = false));
      }
    },
  };
}

const names = (/** @type {Entry[]} */ entries) => [...new Set(entries.map((entry) => entry.variant))];
