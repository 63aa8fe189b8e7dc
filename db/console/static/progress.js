// @ts-check
/** How much is done and left, and for about how long at the pace of the last labels. */

import { at, written } from "./elements.js";

/** The pace is that of so many labels. */
const LAST = 20;

export class Progress {
  /** @type {number[]} milliseconds that each of the last labels took */
  #times = [];

  /** @param {number} milliseconds */
  took(milliseconds) {
    this.#times = [...this.#times, milliseconds].slice(-LAST);
  }

  /** @param {number} done @param {number} left @param {boolean} more whether there are more than were counted */
  show(done, left, more) {
    const bar = /** @type {HTMLProgressElement} */ (at("progress"));
    bar.max = Math.max(done + left, 1);
    bar.value = done;
    const one = [...this.#times].sort((a, b) => a - b)[this.#times.length >> 1] ?? 0;
    const minutes = one ? Math.max(1, Math.round((one * left) / 60_000)) : 0;
    const text = (minutes ? at("left").dataset.minutes : at("left").dataset.text) ?? "";
    const orMore = more ? "+" : "";
    const numbers = { done: written(done), left: written(left) + orMore, minutes: written(minutes) + orMore };
    at("left").textContent = text.replace(/{(done|left|minutes)}/g, (_, name) => numbers[/** @type {"done" | "left" | "minutes"} */ (name)]);
  }
}
