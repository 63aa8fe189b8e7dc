// @ts-check
/**
 * What each key does, and how a person has changed that: kept in this browser, listed in the page's dialog.
 *
 * Each action is an element with `data-action` and its keys in `data-keys`; a button within it asks for another key.
 */

/** What is printed of a key whose name is long. @type {Record<string, string>} */
const SIGNS = {
  Backspace: "⌫", Delete: "⌦", Enter: "⏎", ArrowRight: "→", ArrowLeft: "←", ArrowUp: "↑", ArrowDown: "↓", PageUp: "⇞", PageDown: "⇟", "-": "−",
};
/** Keys that browsers and screen readers need for themselves. */
const TAKEN = new Set(["Tab", "Escape", "Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock", "Dead", "Unidentified", "Process"]);
const KEPT = "review-keys";

export class Keys {
  /** @param {HTMLElement} list */
  constructor(list) {
    /** @type {HTMLElement[]} */
    this.rows = [...list.querySelectorAll("[data-action]")].map((row) => /** @type {HTMLElement} */ (row));
    this.space = list.dataset.space ?? "";
    /** The action that waits for its key. @type {string | null} */
    this.asking = null;
    /** @type {Map<string, string[]>} */
    this.bound = new Map();
    this.restore();
    for (const row of this.rows)
      row.querySelector("button")?.addEventListener("click", () => this.ask(row.dataset.action ?? ""));
  }

  /** As they were at first, but for what was changed in this browser. */
  restore() {
    const changed = keptKeys();
    for (const row of this.rows) this.bound.set(row.dataset.action ?? "", JSON.parse(row.dataset.keys ?? "[]"));
    for (const [action, key] of Object.entries(changed)) this.give(action, key);
    this.show();
  }

  /** As they were at first. */
  reset() {
    localStorage.removeItem(KEPT);
    this.ask(null);
    this.restore();
  }

  /** What a key does. @param {KeyboardEvent} event @returns {string | undefined} */
  action(event) {
    const typed = named(event.key);
    // Digits are where they are, also on keyboards that have them only with Shift. On the pad they need Num Lock: without it
    // these are the keys that scroll.
    const digit = event.shiftKey ? "" : event.code.replace(/^Digit/, "");
    const by = (/** @type {string} */ key) => [...this.bound].find(([, keys]) => keys.includes(key))?.[0];
    return by(typed) ?? (/^\d$/.test(digit) ? by(digit) : undefined);
  }

  /** Wait for a key for an action, or for none any more. @param {string | null} action */
  ask(action) {
    this.asking = this.asking === action ? null : action;
    this.show();
  }

  /** Give the key that was pressed to the action that waits. @param {KeyboardEvent} event */
  take(event) {
    if (!this.asking) return;
    if (event.key === "Escape") { event.preventDefault(); this.ask(null); return; }
    if (TAKEN.has(event.key) || /^F\d+$/.test(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const key = named(event.key), changed = keptKeys();
    for (const [action, other] of Object.entries(changed)) if (other === key) delete changed[action];
    localStorage.setItem(KEPT, JSON.stringify({ ...changed, [this.asking]: key }));
    this.asking = null;
    this.restore();
  }

  /** A key is one action's: whatever had it has it no more. @param {string} action @param {string} key */
  give(action, key) {
    if (!this.bound.has(action)) return;
    for (const [other, keys] of this.bound) this.bound.set(other, keys.filter((bound) => bound !== key));
    this.bound.set(action, [key]);
  }

  /** Print the keys in the list and on the page's buttons. */
  show() {
    for (const row of this.rows) {
      const action = row.dataset.action ?? "", keys = this.bound.get(action) ?? [];
      const button = row.querySelector("button");
      button?.setAttribute("aria-pressed", String(this.asking === action));
      if (button) button.textContent = (this.asking === action ? button.dataset.asking : button.dataset.change) ?? "";
      row.querySelector("dt")?.replaceChildren(...(keys.length ? keys : ["–"]).map((key) => this.printed(key)));
      for (const key of document.querySelectorAll(`button[data-label="${action}"] kbd, button[data-do="${action}"] kbd`))
        key.textContent = keys[0] === " " ? "␣" : this.sign(keys[0] ?? "–");
    }
  }

  /** @param {string} key */
  printed(key) {
    const shown = document.createElement("kbd");
    shown.textContent = this.sign(key);
    return shown;
  }

  /** @param {string} key */
  sign(key) {
    return key === " " ? this.space : (SIGNS[key] ?? key);
  }
}

/**
 * The key of an action on a page without a list of keys: as it was changed in this browser, or none where they are off.
 * @param {string} action @param {string} first @returns {string | null}
 */
export function keyFor(action, first) {
  if (localStorage.getItem("keys") === "off") return null;
  const changed = keptKeys();
  return changed[action] ?? (Object.values(changed).includes(first) ? null : first);
}

/** What was changed in this browser, by action. @returns {Record<string, string>} */
function keptKeys() {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "{}");
  } catch {
    return {}; // whatever wrote that, it was not this page
  }
}

/** A letter is the same key in either case. @param {string} key */
function named(key) {
  return key.length === 1 ? key.toLowerCase() : key;
}
