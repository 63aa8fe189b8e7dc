// @ts-check
/**
 * Saves what was said, in order, while the next photograph is looked at. What cannot be saved stops everything, loudly;
 * what is not saved yet survives a reload.
 */

import { at } from "./elements.js";
import { isForGood, PROXY, person, post } from "./server.js";
import { tab } from "./tab.js";
import { forget, keep, unsaved as inBrowser, write } from "./unsaved.js";

/** @typedef {import("./unsaved.js").Saying} Saying */

/** Milliseconds between two tries. */
const RETRY = 3_000;

/** Why nothing is saved, by what the server was asked in vain with. @type {Record<string, string>} */
const WHY = { "401": "ended", "403": "ended", role: "role", [PROXY]: "proxy" };

export class Saving {
  /** What others said waits in the browser until they sign in here. */
  #unsaved = inBrowser().filter((saying) => saying.by === person);
  #saving = false;
  #kept;
  #dropped;
  #goOn;
  stopped = false;

  /**
   * Nothing is saved yet, not even what was left from the last time.
   * @param {(capture: string, review: number) => void} kept a label is saved, as this review
   * @param {(saying: Saying, status: string) => void} dropped the server will never take a label
   * @param {() => void} goOn all is saved after it had stopped
   */
  constructor(kept, dropped, goOn) {
    this.#kept = kept;
    this.#dropped = dropped;
    this.#goOn = goOn;
    at("again").addEventListener("click", () => this.save());
    addEventListener("beforeunload", (event) => { if (this.#unsaved.length) event.preventDefault(); });
  }

  /** Keep what somebody says until it is saved. @param {Omit<Saying, "name" | "by">} said */
  say(said) {
    this.#unsaved.push(keep({ ...said, by: person }));
    this.save();
  }

  /** Save all that is not. */
  async save() {
    if (this.#saving) return;
    this.#saving = true;
    try {
      while (this.#unsaved.length) {
        await this.#saveFirst();
        forget(this.#unsaved[0]);
        this.#unsaved.shift();
      }
      if (this.stopped) {
        this.stopped = false;
        at("failed").hidden = true;
        at("desk").inert = false;
        this.#goOn();
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.#saving = false;
    }
  }

  async #saveFirst() {
    const { capture, label, seen } = this.#unsaved[0];
    try {
      const { review } = await post("/review/label", [["capture", capture], ["label", label], ["seen", String(seen ?? 0)], ["tab", tab]]);
      for (const later of this.#unsaved.slice(1)) if (later.capture === capture) write(Object.assign(later, { seen: review }));
      this.#kept(capture, review);
    } catch (error) {
      const status = error instanceof Error ? error.message : "";
      if (!isForGood(status)) throw error;
      this.#dropped(this.#unsaved[0], status);
    }
  }

  /** Say that a label is not saved, and do nothing else until it is. @param {unknown} error */
  fail(error) {
    const why = WHY[error instanceof Error ? error.message : ""] ?? "away";
    this.stopped = true;
    at("failed").hidden = false;
    /** @type {HTMLElement} */ (at("failed").querySelector("span")).textContent = at("failed").dataset[why] ?? "";
    /** @type {HTMLElement} */ (at("failed").querySelector("a")).hidden = !["ended", "role"].includes(why);
    at("desk").inert = true;
    setTimeout(() => this.save(), RETRY);
  }
}
