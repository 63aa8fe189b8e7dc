// @ts-check
/** Tells photographs from the drawings that stand in their place. */

/** Pixels of a photograph's longer side at most; a drawing says that it is larger (`db.console.photographs`). */
const LARGEST = 1600;
/** Pixels of the drawing that stands for a photograph that there may be in a moment. */
const PASSING = 6400;

/**
 * Whether what an image has loaded is a photograph. It is told by what the image itself got: the server may have another
 * one by now, and a browser that keeps nothing has no other answer to look at.
 * @param {HTMLImageElement} image
 */
export function isPhotograph(image) {
  const longer = Math.max(image.naturalWidth, image.naturalHeight);
  return image.complete && longer > 0 && longer <= LARGEST;
}

/** Whether it stands for a photograph that there may be in a moment: nobody can say yet what that shows. @param {HTMLImageElement} image */
export function isPassing(image) {
  return image.naturalWidth === PASSING;
}
