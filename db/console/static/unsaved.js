// @ts-check
/**
 * The labels that this browser has not saved yet, whoever gave them and in whichever tab.
 *
 * Each has an entry of its own in the browser's storage: no tab writes over what another one keeps. Two that save the same one do
 * no harm, the server keeps it once.
 */

import { tab } from "./tab.js";

/** @typedef {{name: string, capture: string, label: string, by: string, place: string, seen: number | null}} Saying */

const BEGINS = "unsaved ";

/** All of them, in the order in which they were said. @returns {Saying[]} */
export function unsaved() {
  return Object.keys(localStorage).filter((name) => name.startsWith(BEGINS)).sort().flatMap((name) => {
    try {
      return [{ ...JSON.parse(localStorage.getItem(name) ?? ""), name }];
    } catch {
      return []; // another tab has just saved it, or whatever wrote that was none of these pages
    }
  });
}

/** Keep one, behind all that there are. @param {Omit<Saying, "name">} said @returns {Saying} */
export function keep(said) {
  const last = Number(unsaved().at(-1)?.name.split(" ")[1] ?? 0);
  const saying = { ...said, name: `${BEGINS}${Math.max(Date.now(), last + 1)} ${tab}` };
  write(saying);
  return saying;
}

/** Keep what one has become. @param {Saying} saying */
export function write({ name, ...said }) {
  store(localStorage, name, said);
}

/** Keep something, where the browser does: what it has no room for is kept by the page alone. @param {Storage} where @param {string} name @param {any} what */
export function store(where, name, what) {
  try {
    where.setItem(name, JSON.stringify(what));
  } catch {
    // full, or forbidden: nothing but a reload loses it, of which the browser warns
  }
}

/** It is saved, or will never be taken. @param {Saying} saying */
export function forget({ name }) {
  localStorage.removeItem(name);
}
