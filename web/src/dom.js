/** Typed access to the page's elements. */

/**
 * Return the element with an id.
 *
 * @template {HTMLElement} Type
 * @param {string} id
 * @param {new () => Type} type
 * @returns {Type}
 */
export function getElement(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`the page has no ${type.name} #${id}`);
  return element;
}

/** Show a message in the element #message. */
export function showMessage(/** @type {string} */ text, isError = false) {
  const element = getElement("message", HTMLElement);
  element.textContent = text;
  element.classList.toggle("error", isError);
}

/** Return the message of an error of any type. */
export function errorMessage(/** @type {unknown} */ error) {
  return error instanceof Error ? error.message : String(error);
}
