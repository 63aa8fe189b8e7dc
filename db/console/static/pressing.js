// @ts-check
/** What a person presses: keys, as they are bound, and buttons. One press labels one photograph, that on the screen. */

import { at, buttons } from "./elements.js";
import { Keys } from "./keys.js";

/** Pixels to the right and down, by the keys that move a large image with Shift. @type {Record<string, [number, number]>} */
const PANS = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };

const help = /** @type {HTMLDialogElement} */ (at("help"));
const keysOn = /** @type {HTMLInputElement} */ (at("keys-on"));

/** Whether a key is meant for what has the focus: a control's own, or any in what is not about the photograph. @param {KeyboardEvent} event */
function isOfTheFocus(event) {
  const focus = event.target instanceof Element ? event.target : document.body;
  if (focus.closest("body > header, body > footer, #failed")) return true;
  return [" ", "Enter"].includes(event.key) && focus.closest("button, a, input, select, summary") !== null;
}

/**
 * Do what is pressed from now on.
 * @param {import("./desk.js").Desk} desk
 * @param {Record<string, () => void>} actions what the buttons with `data-do` and their keys do
 * @param {(label: string) => void} say
 * @param {() => boolean} isStopped whether keys do nothing
 */
export function listen(desk, actions, say, isStopped) {
  const keys = new Keys(at("keys"));
  const { zoom } = desk;
  const labels = new Set(buttons("label").map((button) => button.dataset.label ?? ""));
  /** @type {Record<string, () => void>} */
  const all = {
    ...actions,
    previous: () => desk.previous(!desk.isBefore),
    larger: () => zoom.by(1.5), smaller: () => zoom.by(1 / 1.5), whole: () => zoom.by(0),
    help: () => help.showModal(),
  };

  for (const button of buttons("label")) {
    button.addEventListener("click", (event) => {
      if (event.detail) button.blur(); // a tap leaves it no focus: Space is for the photograph before
      // A label is of what is on the screen: while that is the photograph before, a tap leads back to its own.
      if (desk.isBefore) desk.previous(false);
      else if (event.detail < 2) say(button.dataset.label ?? "");
    });
  }
  for (const button of buttons("do")) {
    const action = button.dataset.do ?? "";
    button.addEventListener("click", (event) => {
      if (event.detail) button.blur();
      if (action !== "previous") desk.previous(false);
      all[action]();
    });
  }

  addEventListener("keydown", (event) => {
    if (help.open) return keys.take(event);
    if (event.ctrlKey || event.metaKey || event.altKey || isStopped()) return;
    if (at("desk").hidden && keys.action(event) !== "undo") return; // the last label can be taken back all the same
    if (isOfTheFocus(event)) {
      if (event.repeat) event.preventDefault(); // a key that is held down presses its button once
      return;
    }
    const pan = event.shiftKey && keysOn.checked && PANS[event.key];
    if (pan) { event.preventDefault(); zoom.pan(...pan); return; }
    const action = keys.action(event);
    if (!action || (!keysOn.checked && action !== "help")) return;
    event.preventDefault();
    if (event.repeat && labels.has(action)) return; // a key that is held down labels one photograph
    const wasBefore = desk.isBefore;
    desk.previous(action === "previous");
    if (action === "previous") return;
    if (!labels.has(action)) all[action]();
    else if (!wasBefore) say(action); // a label is of what is on the screen
  });
  addEventListener("keyup", (event) => { if (keys.action(event) === "previous") desk.previous(false); });
  addEventListener("blur", () => desk.previous(false));

  at("keys-reset").addEventListener("click", () => keys.reset());
  help.addEventListener("close", () => { if (keys.asking) keys.ask(null); });
  keysOn.checked = localStorage.getItem("keys") !== "off";
  keysOn.addEventListener("change", () => localStorage.setItem("keys", keysOn.checked ? "on" : "off"));
}
