// @ts-check
/** Shows the photographs of a pocket with where their verdicts came from, or without again; off at first. */

import { keyFor } from "./keys.js";

const button = /** @type {HTMLButtonElement} */ (document.getElementById("evidence"));
const images = /** @type {HTMLImageElement[]} */ ([...document.querySelectorAll("img[data-evidence]")]);
for (const image of images) image.dataset.plain = image.src;
const key = keyFor("evidence", "e");
/** @type {HTMLElement} */ (button.querySelector("kbd")).textContent = key ?? "–";
button.hidden = false;

function turn() {
  const explaining = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(explaining));
  /** @type {HTMLElement} */ (document.getElementById("legend")).hidden = !explaining;
  for (const image of images) {
    const address = (explaining ? image.dataset.evidence : image.dataset.plain) ?? "";
    image.src = address;
    if (image.parentElement instanceof HTMLAnchorElement)
      image.parentElement.href = explaining ? address : address.replace(/small$/, "large");
  }
}

button.addEventListener("click", turn);
addEventListener("keydown", (event) => {
  const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
  if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.key.toLowerCase() !== key) return;
  event.preventDefault();
  turn();
});
