// @ts-check
/** The photograph that is looked at: its own or the one before, what is known of it, and what can be said of it yet. */

import { at, buttons, called } from "./elements.js";
import { Photographs } from "./photographs.js";
import { Zoom } from "./zoom.js";

/**
 * @typedef {{id: string, why: string, place: string, photograph: boolean, said: string | null, previous: string | null,
 *   evidence: boolean, sample: boolean, review: number | null, [fact: string]: any}} Item
 */

/** Milliseconds after which a photograph that does not come is asked for again. */
const AGAIN = 3_000;
/** Milliseconds for which a photograph has been shown before a tap or a key says what it is: two in a moment are one. */
const SEEN = 250;

/** @param {string} id */
const plain = (id) => `/photographs/${id}/large`;

const photo = at("photo");
/** @type {Array<[string, string]>} */
const names = JSON.parse(at("facts").dataset.names ?? "[]");

export class Desk {
  #image = /** @type {HTMLImageElement} */ (at("image"));
  #began = 0;
  /** Whose photograph is on the screen, its own and not the one before. */
  #seen = "";
  /** Whether photographs are shown with where their verdicts came from. */
  #explaining = false;
  /** What is looked at. @type {Item | undefined} */
  #item;
  zoom = new Zoom(photo, this.#image);
  #photographs = new Photographs(
    (ahead) => {
      if (ahead !== this.#image) return;
      if (this.#began === Infinity) this.#begin(); // only now is it seen
      this.#offer();
    },
    (ahead, from) => {
      if (ahead !== this.#image) return;
      this.#flag(photo.dataset.away ?? "");
      setTimeout(() => { if (ahead === this.#image && this.#item) this.#put(from, this.#item); }, AGAIN);
    },
  );

  /** Whether the photograph before is on the screen, in place of the one that is to be labelled. */
  get isBefore() {
    return photo.classList.contains("before");
  }

  /** For how many milliseconds a photograph has been seen; 0 where it is not, or not yet for long enough. @param {Item | undefined} item */
  seenFor(item) {
    const time = performance.now() - this.#began;
    return item && item.id === this.#image.dataset.id && time >= SEEN ? time : 0;
  }

  /** What can be said of what is on the screen: of a drawing only that it is unusable, of nothing yet nothing. @param {string} label */
  canBe(label) {
    return this.#image.dataset.is === "photograph" || (label === "unusable" && this.#image.dataset.is === "drawing");
  }

  /** Have some photographs at hand, as they are shown, and no others; of the first also the one before. @param {Item[]} items */
  keep(items) {
    const wanted = new Set(items.map((item) => this.#address(item)));
    if (items[0]?.previous) wanted.add(plain(items[0].previous));
    this.#photographs.keep(wanted);
  }

  /** Show a photograph, and what is known of it. @param {Item} item */
  show(item) {
    this.#item = item;
    if (this.#image.dataset.id !== item.id) {
      photo.classList.remove("before");
      this.#put(this.#address(item), item);
    }
    at("why").textContent = item.why;
    at("facts").replaceChildren(...names.filter(([name]) => item[name] != null).flatMap(([name, title]) => {
      const term = document.createElement("dt"), fact = document.createElement("dd");
      term.textContent = title;
      fact.textContent = String(item[name]);
      if (name === "reason") fact.lang = item.reasonLanguage; // some are the worker's own words
      return [term, fact];
    }));
    at("said").hidden = !item.said;
    /** @type {HTMLElement} */ (at("said").querySelector("b")).textContent = item.said && called(item.said);
    for (const button of buttons("label")) button.setAttribute("aria-pressed", String(button.dataset.label === item.said));
    /** @type {HTMLButtonElement} */ (at("previous")).disabled = !item.previous;
  }

  /** Show the photograph of this pocket before, for as long as it is asked for. @param {boolean} on */
  previous(on) {
    const item = this.#item;
    if (!item || this.isBefore === on || (on && !item.previous)) return;
    photo.classList.toggle("before", on);
    this.#put(on && item.previous ? plain(item.previous) : this.#address(item), item);
  }

  /** Show photographs with where their verdicts came from, or without again. */
  explain() {
    this.#explaining = !this.#explaining;
    at("evidence").setAttribute("aria-pressed", String(this.#explaining));
    if (this.#item) this.#put(this.#address(this.#item), this.#item);
  }

  /** @param {Item} item */
  #address(item) {
    return this.#explaining && item.evidence ? `/photographs/${item.id}/evidence` : plain(item.id);
  }

  /** Put a photograph in its place: the very element that was loaded and decoded ahead. @param {string} from @param {Item} item */
  #put(from, item) {
    const next = this.#photographs.of(from);
    next.id = "image";
    next.alt = item.place;
    next.draggable = false;
    next.dataset.id = item.id;
    this.#image.replaceWith(next);
    this.#image = this.zoom.image = next;
    this.zoom.place();
    const own = this.isBefore ? "" : item.id;
    if (own !== this.#seen) this.#begin();
    this.#seen = own;
    const { legend, none } = at("evidence").dataset;
    this.#flag(this.isBefore ? at("previous").querySelector("span")?.textContent
      : this.#explaining ? (item.evidence ? legend : none) : "");
    this.#offer();
  }

  /** What is to be labelled is seen from now on, where it is there and not the photograph before. */
  #begin() {
    this.#began = this.#image.dataset.is && !this.isBefore ? performance.now() : Infinity;
  }

  #offer() {
    for (const button of buttons("label")) button.disabled = !this.canBe(button.dataset.label ?? "");
  }

  /** Say what is shown where it is not just the photograph. @param {string | null | undefined} text */
  #flag(text) {
    at("flag").textContent = text ?? "";
    at("flag").hidden = !text;
  }
}
