// @ts-check
/** Photographs that are loaded and decoded before they are looked at, and asked for again where they do not come. */

import { isPassing, isPhotograph } from "./seen.js";

export class Photographs {
  /** @type {Map<string, HTMLImageElement>} by address */
  #ahead = new Map();
  /** @type {Set<string>} the addresses at which there was no photograph */
  #drawn = new Set();
  #came;
  #away;

  /**
   * Nothing is loaded yet.
   * @param {(image: HTMLImageElement) => void} came a photograph, or a drawing that stands for one: `dataset.is` says which
   * @param {(image: HTMLImageElement, from: string) => void} away nothing came, or what stands for it until it comes
   */
  constructor(came, away) {
    this.#came = came;
    this.#away = away;
  }

  /** Have those of some addresses at hand, and no others. @param {Set<string>} wanted */
  keep(wanted) {
    for (const from of this.#ahead.keys()) if (!wanted.has(from)) this.#ahead.delete(from);
    for (const from of wanted) if (!this.#ahead.has(from)) this.#load(from);
  }

  /** That of an address; where a drawing was there may be a photograph by now. @param {string} from */
  of(from) {
    const ahead = this.#ahead.get(from);
    return ahead && ahead.dataset.is !== "drawing" ? ahead : this.#load(from);
  }

  /** @param {string} from */
  #load(from) {
    const ahead = new Image();
    // A browser would show again what it has of that address.
    ahead.src = this.#drawn.has(from) ? `${from}?again=${performance.now()}` : from;
    const again = () => {
      if (this.#ahead.get(from) === ahead) this.#ahead.delete(from);
      this.#drawn.add(from);
      this.#away(ahead, from);
    };
    ahead.decode().then(() => {
      if (isPassing(ahead)) return again();
      ahead.dataset.is = isPhotograph(ahead) ? "photograph" : "drawing";
      if (!isPhotograph(ahead)) this.#drawn.add(from);
      this.#came(ahead);
    }, again);
    this.#ahead.set(from, ahead);
    return ahead;
  }
}
