// @ts-check
/** Says on every page whose labels this browser has not saved; Review saves its own person's and speaks of those itself. */

import { unsaved } from "./unsaved.js";

/** Milliseconds between two looks; what is there at both is not just being saved. */
const AGAIN = 3_000;

const word = /** @type {HTMLElement} */ (document.getElementById("unsaved"));
const reviewing = document.querySelector('meta[name="person"]')?.getAttribute("content");
/** @type {Set<string>} */
let before = new Set();

function look() {
  const now = unsaved().filter((saying) => saying.by !== reviewing);
  const speakers = now.filter((saying) => before.has(saying.name)).map((saying) => saying.by);
  before = new Set(now.map((saying) => saying.name));
  const said = [...new Set(speakers)].map((name) => {
    const number = speakers.filter((speaker) => speaker === name).length;
    return `${name} (${number.toLocaleString(document.documentElement.lang)})`;
  }).join(", ");
  word.hidden = !said;
  const names = /** @type {HTMLElement} */ (word.querySelector("b"));
  if (names.textContent !== said) names.textContent = said;
}

look();
setInterval(look, AGAIN);
