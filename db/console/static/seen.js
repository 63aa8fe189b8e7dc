// @ts-check
/** Tells photographs from the drawings that stand in their place: the answer of a drawing is an error. */

/**
 * Whether what an image has loaded is a photograph: those are in the browser's cache, drawings never are. The server is
 * not asked, for by now it may have the photograph again.
 * @param {string} address
 */
export async function isPhotograph(address) {
  try {
    return (await fetch(address, { cache: "only-if-cached", mode: "same-origin" })).ok;
  } catch {
    return false;
  }
}
