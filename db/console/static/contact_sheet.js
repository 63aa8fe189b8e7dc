// @ts-check
/**
 * A photograph can be confirmed once it was seen: loaded, on the screen for the most part, for as long as a look takes.
 * The drawing that stands in the place of one that is away is no photograph.
 * What was not seen stays out of the form, whatever the button says.
 */

import { isPhotograph } from "./seen.js";

/** The share of a thumbnail that is to be on the screen. */
const MOSTLY = 0.75;
/** Milliseconds that a look takes. */
const LOOK = 400;

const button = /** @type {HTMLButtonElement | null} */ (document.getElementById("confirm"));
const count = document.getElementById("count");
const hint = document.getElementById("unseen");
const thumbs = [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-confirmable]"))];
/** @type {Map<Element, number>} the looks that have begun */
const looks = new Map();

/** @param {Element} thumb */
const box = (thumb) => /** @type {HTMLInputElement} */ (thumb.querySelector("input"));

function tell() {
  if (!button || !count || !hint) return;
  const chosen = thumbs.filter((thumb) => box(thumb).checked).length;
  count.textContent = String(chosen);
  button.disabled = chosen === 0;
  const unseen = thumbs.some((thumb) => box(thumb).disabled);
  hint.textContent = (unseen ? hint.dataset.some : hint.dataset.all) ?? "";
  hint.hidden = thumbs.length === 0;
}

/** @param {Element} thumb */
function seen(thumb) {
  const image = /** @type {HTMLImageElement} */ (thumb.querySelector("img"));
  if (!image.complete || image.naturalWidth === 0) {
    // Not there yet: the look begins anew when it is.
    image.addEventListener("load", () => watcher.observe(thumb), { once: true });
    watcher.unobserve(thumb);
    return;
  }
  watcher.unobserve(thumb);
  if (!isPhotograph(image)) return;
  thumb.classList.add("seen");
  box(thumb).disabled = false;
  box(thumb).checked = true;
  tell();
}

const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    clearTimeout(looks.get(entry.target));
    if (entry.isIntersecting && !document.hidden) looks.set(entry.target, setTimeout(() => seen(entry.target), LOOK));
  }
}, { threshold: MOSTLY });

for (const thumb of thumbs) {
  watcher.observe(thumb);
  box(thumb).addEventListener("change", tell);
}
// A page that was in the background showed nothing: the looks begin when it comes to the front.
document.addEventListener("visibilitychange", () => {
  for (const thumb of thumbs) {
    if (!box(thumb).disabled) continue;
    clearTimeout(looks.get(thumb));
    watcher.unobserve(thumb);
    watcher.observe(thumb);
  }
});
tell();
