// @ts-check
/** The elements of the review's page, and words and numbers as its reader has them. */

/** @param {string} id @returns {HTMLElement} */
export const at = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @param {string} data @returns {HTMLButtonElement[]} those with this attribute */
export const buttons = (data) => [.../** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll(`button[data-${data}]`))];

/** As the reader writes it. @param {number} value */
export function written(value) {
  return value.toLocaleString(document.documentElement.lang);
}

/** A label in the reader's language. @param {string} label */
export function called(label) {
  return document.querySelector(`[data-label="${label}"] span`)?.textContent ?? label;
}
