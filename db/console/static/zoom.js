// @ts-check
/** How large an image is shown, and which part of it: by buttons, wheel, two fingers or a drag; it stays for the next. */

const LARGEST = 8;

export class Zoom {
  /** @param {HTMLElement} frame @param {HTMLElement} image */
  constructor(frame, image) {
    this.frame = frame;
    this.image = image;
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    /** @type {Map<number, {x: number, y: number}>} the fingers that are down */
    this.fingers = new Map();
    frame.addEventListener("wheel", (event) => { event.preventDefault(); this.by(event.deltaY < 0 ? 1.2 : 1 / 1.2); }, { passive: false });
    frame.addEventListener("pointerdown", (event) => {
      frame.setPointerCapture(event.pointerId);
      this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    });
    frame.addEventListener("pointermove", (event) => this.move(event));
    for (const end of /** @type {const} */ (["pointerup", "pointercancel"]))
      frame.addEventListener(end, (event) => this.fingers.delete(event.pointerId));
  }

  /** Larger by a factor, or all of it by 0. @param {number} factor */
  by(factor) {
    this.scale = factor ? Math.min(LARGEST, Math.max(1, this.scale * factor)) : 1;
    this.place();
  }

  /** Move by so many pixels of the screen. @param {number} right @param {number} down */
  pan(right, down) {
    this.x += (right / this.frame.clientWidth) * 100;
    this.y += (down / this.frame.clientHeight) * 100;
    this.place();
  }

  /** @param {PointerEvent} event */
  move(event) {
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    const other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1];
    const now = { x: event.clientX, y: event.clientY };
    this.fingers.set(event.pointerId, now);
    if (other) this.by(apart(now, other) / Math.max(1, apart(before, other)) || 1);
    this.pan((now.x - before.x) / this.fingers.size, (now.y - before.y) / this.fingers.size);
  }

  /** The image never leaves its frame. */
  place() {
    const far = ((this.scale - 1) / 2) * 100;
    this.x = Math.min(far, Math.max(-far, this.x));
    this.y = Math.min(far, Math.max(-far, this.y));
    this.image.style.transform = `translate(${this.x}%, ${this.y}%) scale(${this.scale})`;
  }
}

/** @param {{x: number, y: number}} one @param {{x: number, y: number}} other */
function apart(one, other) {
  return Math.hypot(one.x - other.x, one.y - other.y);
}
