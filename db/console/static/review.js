// @ts-check
/**
 * One photograph, one key, the next photograph.
 *
 * A label is shown as given at once and saved behind it, in order. One that cannot be saved stops everything, loudly;
 * what is not saved yet survives a reload.
 */

import { Keys } from "./keys.js";
import { Photographs } from "./photographs.js";
import { isForGood, LONGEST, person, post } from "./server.js";
import { tab } from "./tab.js";
import { forget, keep, store, unsaved as inBrowser, write } from "./unsaved.js";
import { Zoom } from "./zoom.js";

/**
 * @typedef {{id: string, why: string, place: string, photograph: boolean, said: string | null, previous: string | null,
 *   evidence: boolean, sample: boolean, review: number | null, [fact: string]: any}} Item
 * @typedef {import("./unsaved.js").Saying} Saying
 */

/** So many photographs are at hand: the one that is looked at and the next ones, already loaded. */
const AT_HAND = 4;
/** Milliseconds between two requests to keep them, well within the minute for which they are kept. */
const HOLD = 20_000;
/** Milliseconds between two tries to save a label, or to show a photograph that does not come. */
const RETRY = 3_000;
/** Milliseconds for which a photograph has been shown before a tap or a key says what it is: two in a moment are one. */
const SEEN = 250;
/** So many labels can be gone back to after a reload. */
const KEPT = 100;
/** So many skipped ones are named when more is asked for, the newest; the server takes no form of a thousand fields. */
const NAMED = 300;

/** @param {string} id @returns {HTMLElement} */
const at = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const desk = at("desk");
let image = /** @type {HTMLImageElement} */ (at("image"));
const photo = at("photo");
const help = /** @type {HTMLDialogElement} */ (at("help"));
const keys = new Keys(at("keys"));
const zoom = new Zoom(photo, image);
const keysOn = /** @type {HTMLInputElement} */ (at("keys-on"));
/** @type {Array<[string, string]>} */
const names = JSON.parse(at("facts").dataset.names ?? "[]");

/** @type {Item[]} the first one is looked at */
const queue = [];
/** @type {Item[]} what was labelled, the last one last */
const labelled = kept("labelled").filter((item) => item.by === person);
/** @type {Set<string>} those that were gone back to */
const undone = new Set();
/** @type {Set<string>} */
const skipped = new Set();
/** @type {Set<string>} samples that were skipped, which come back: nobody chooses what is in a sample */
const putOff = new Set();
/** @type {Item[]} those of them that come behind what is asked for now */
const aside = [];
/** What others said waits in the browser until they sign in here. */
const unsaved = inBrowser().filter((saying) => saying.by === person);
let beyond = 0, more = false, saving = false, asking = false, began = 0, stopped = false;
/** Whose photograph is on the screen, its own and not the one before. */
let seen = "";
/** Whether photographs are shown with where their verdicts came from. */
let explaining = false;

const photographs = new Photographs(
  (ahead) => {
    if (ahead !== image) return;
    if (began === Infinity) begin(); // only now is it seen
    offer();
  },
  (ahead, from) => {
    if (ahead !== image) return;
    at("flag").textContent = photo.dataset.away ?? "";
    at("flag").hidden = false;
    setTimeout(() => { if (ahead === image && queue[0]) put(from, queue[0]); }, RETRY);
  },
);

/** What this tab keeps over a reload. @param {string} name @returns {any[]} */
function kept(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name) ?? "[]");
  } catch {
    return []; // whatever wrote that, it was not this page
  }
}

/** @param {string} id */
const plain = (id) => `/photographs/${id}/large`;
/** @param {Item} item */
const address = (item) => (explaining && item.evidence ? `/photographs/${item.id}/evidence` : plain(item.id));

/** Say that a label is not saved, and do nothing else until it is. @param {unknown} error */
function fail(error) {
  const status = error instanceof Error ? error.message : "";
  const why = { "401": "ended", "403": "ended", role: "role" }[status] ?? "away";
  stopped = true;
  at("failed").hidden = false;
  /** @type {HTMLElement} */ (at("failed").querySelector("span")).textContent =
    at("failed").dataset[why] ?? "";
  /** @type {HTMLElement} */ (at("failed").querySelector("a")).hidden = why === "away";
  desk.inert = true;
  setTimeout(save, RETRY);
}

/** Say that a label is not kept, and go on: the server will never take it. @param {Saying} saying @param {string} status */
function drop({ capture, place }, status) {
  for (const items of [labelled, queue]) { // it may have been gone back to
    const place_of = items.findIndex((item) => item.id === capture);
    if (place_of >= 0) items.splice(place_of, 1);
  }
  undone.delete(capture);
  const { gone, overtaken } = at("refused").dataset;
  at("refused").textContent = `${place}: ${status === "409" ? overtaken : gone}`;
  at("refused").hidden = false;
  fill();
}

/** Save what was said, in order. */
async function save() {
  if (saving) return;
  saving = true;
  try {
    while (unsaved.length) {
      const { capture, label, seen } = unsaved[0];
      try {
        const { review } = await post("/review/label", [["capture", capture], ["label", label], ["seen", String(seen ?? 0)], ["tab", tab]]);
        // Who goes back to it knows it: the same word is then another review, and not this one said again.
        for (const item of [...labelled, ...queue]) if (item.id === capture) item.review = review;
        for (const later of unsaved.slice(1)) if (later.capture === capture) write(Object.assign(later, { seen: review }));
      } catch (error) {
        const status = error instanceof Error ? error.message : "";
        if (!isForGood(status)) throw error;
        drop(unsaved[0], status);
      }
      forget(unsaved[0]);
      unsaved.shift();
      remember();
    }
    if (stopped) {
      stopped = false;
      at("failed").hidden = true;
      desk.inert = false;
      fill();
    }
  } catch (error) {
    fail(error);
  } finally {
    saving = false;
  }
}

function remember() {
  const gone_back_to = queue.filter((item) => undone.has(item.id)); // over a reload they keep their labels
  store(sessionStorage, "labelled", [...labelled, ...gone_back_to].slice(-KEPT));
}

/** Show the next photograph at once, and have enough at hand, loaded before they are looked at. */
async function fill() {
  if (queue.length) show();
  if (asking || stopped || queue.length >= AT_HAND) return show();
  asking = true;
  try {
    const known = [...queue, ...aside.slice(-NAMED), ...labelled.slice(-50)].map((item) => item.id);
    const without = [...known, ...[...skipped].slice(-NAMED)].map((id) => /** @type {[string, string]} */ (["without", id]));
    const turn = await post("/review/next", [["count", String(AT_HAND - queue.length)], ["tab", tab], ...without]);
    const had = new Set(queue.map((item) => item.id));
    queue.push(...turn.items.filter((/** @type {Item} */ item) => !had.has(item.id)), ...aside.splice(0));
    beyond = turn.left - turn.items.length;
    more = turn.more;
    at("no-more").hidden = true;
  } catch (error) {
    // What is said is saved by itself: it stops where that cannot be, or where nothing is left to look at.
    if (["401", "403", "role"].includes(error instanceof Error ? error.message : "")) fail(error);
    else {
      at("no-more").hidden = false;
      setTimeout(fill, RETRY);
    }
  } finally {
    asking = false;
  }
  const wanted = new Set(queue.slice(0, AT_HAND).map(address));
  if (queue[0]?.previous) wanted.add(plain(queue[0].previous));
  photographs.keep(wanted);
  show();
}

/** Show the first photograph of the queue, and what is known of it. */
function show() {
  const item = queue[0];
  desk.hidden = !item;
  at("nothing").hidden = Boolean(item) || asking || !at("no-more").hidden;
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll('[data-do="undo"]')))
    button.disabled = !labelled.length;
  if (!item) return;
  if (image.dataset.id !== item.id) {
    photo.classList.remove("before");
    put(address(item), item);
  }
  at("why").textContent = item.why;
  at("facts").replaceChildren(...names.filter(([name]) => item[name] != null).flatMap(([name, title]) => {
    const term = document.createElement("dt"), fact = document.createElement("dd");
    term.textContent = title;
    fact.textContent = String(item[name]);
    if (name === "reason") fact.lang = item.reasonLanguage; // some are the worker's own words
    return [term, fact];
  }));
  at("put-off").hidden = !putOff.size;
  at("said").hidden = !item.said;
  /** @type {HTMLElement} */ (at("said").querySelector("b")).textContent = item.said && called(item.said);
  for (const button of document.querySelectorAll("[data-label]"))
    button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.label === item.said));
  /** @type {HTMLButtonElement} */ (at("previous")).disabled = !item.previous;
  progress();
}

/** Put a photograph in its place: the very element that was loaded and decoded ahead. @param {string} from @param {Item} item */
function put(from, item) {
  const next = photographs.of(from);
  next.id = "image";
  next.alt = item.place;
  next.draggable = false;
  next.dataset.id = item.id;
  image.replaceWith(next);
  image = zoom.image = next;
  zoom.place();
  const own = photo.classList.contains("before") ? "" : item.id;
  if (own !== seen) begin();
  seen = own;
  flag(item);
  offer();
}

/** What is to be labelled is seen from now on, where it is there and not the photograph before. */
function begin() {
  began = image.dataset.is && !photo.classList.contains("before") ? performance.now() : Infinity;
}

/** Offer what can be said of what is on the screen: of a drawing only that it is unusable, of nothing yet nothing. */
function offer() {
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("[data-label]")))
    button.disabled = !canBe(button.dataset.label ?? "");
}

/** @param {string} label */
function canBe(label) {
  return image.dataset.is === "photograph" || (label === "unusable" && image.dataset.is === "drawing");
}

/** Say what is shown where it is not just the photograph. @param {Item} item */
function flag(item) {
  const said = at("evidence").dataset;
  const text = photo.classList.contains("before") ? at("previous").querySelector("span")?.textContent
    : explaining ? (item.evidence ? said.legend : said.none) : "";
  at("flag").textContent = text ?? "";
  at("flag").hidden = !text;
}

function progress() {
  const bar = /** @type {HTMLProgressElement} */ (at("progress"));
  const done = labelled.length, left = beyond + queue.filter((item) => !item.said).length;
  bar.max = Math.max(done + left, 1);
  bar.value = done;
  const each = times.length ? [...times].sort((a, b) => a - b)[times.length >> 1] : 0;
  const minutes = each && !more ? Math.max(1, Math.round((each * left) / 60_000)) : 0;
  const text = (minutes ? at("left").dataset.minutes : at("left").dataset.text) ?? "";
  const numbers = { done: number(done), left: number(left) + (more ? "+" : ""), minutes: number(minutes) };
  at("left").textContent = text.replace(/{(done|left|minutes)}/g, (_, name) => numbers[/** @type {"done" | "left" | "minutes"} */ (name)]);
}

/** As the reader writes it. @param {number} value */
function number(value) {
  return value.toLocaleString(document.documentElement.lang);
}

/** A label in the reader's language. @param {string} label */
function called(label) {
  return document.querySelector(`[data-label="${label}"] span`)?.textContent ?? label;
}

/** @type {number[]} milliseconds that each of the last labels took */
const times = [];

/** @param {string} label */
function say(label) {
  if (stopped || !canBe(label) || performance.now() - began < SEEN || image.dataset.id !== queue[0]?.id) return;
  const item = queue.shift();
  if (!item) return;
  at("taken").hidden = at("refused").hidden = true;
  undone.delete(item.id);
  putOff.delete(item.id);
  times.push(performance.now() - began);
  if (times.length > 20) times.shift();
  labelled.push({ ...item, said: label, by: person });
  unsaved.push(keep({ capture: item.id, label, by: person, place: item.place, seen: item.review }));
  remember();
  at("spoken").textContent = `${item.place}: ${called(label)}`;
  save();
  fill();
}

/** Go back to what was labelled last; it keeps its label until another one is given. */
function undo() {
  const item = labelled.pop();
  if (!item) return;
  queue.unshift(item);
  at("taken").hidden = true;
  undone.add(item.id);
  remember();
  at("spoken").textContent = `${item.place}: ${called(item.said ?? "")}`;
  show();
}

function skip() {
  const item = queue.shift();
  if (!item) return;
  at("taken").hidden = true;
  if (undone.delete(item.id)) labelled.push(item);
  else if (item.sample) {
    aside.push(item);
    putOff.add(item.id);
  } else skipped.add(item.id);
  fill();
}

/** Show the photograph of this pocket before, for as long as it is asked for. @param {boolean} on */
function previous(on) {
  const item = queue[0];
  if (!item || photo.classList.contains("before") === on || (on && !item.previous)) return;
  photo.classList.toggle("before", on);
  put(on && item.previous ? plain(item.previous) : address(item), item);
}

/** Show photographs with where their verdicts came from, or without again. */
function evidence() {
  explaining = !explaining;
  at("evidence").setAttribute("aria-pressed", String(explaining));
  if (queue[0]) put(address(queue[0]), queue[0]);
  fill();
}

/** @type {Record<string, () => void>} */
const actions = {
  undo, skip, evidence,
  previous: () => previous(!photo.classList.contains("before")),
  larger: () => zoom.by(1.5), smaller: () => zoom.by(1 / 1.5), whole: () => zoom.by(0),
  help: () => help.showModal(),
};
/** @type {Record<string, () => void>} */
const labels = {};
/** Pixels to the right and down, by the keys that move a large image with Shift. @type {Record<string, [number, number]>} */
const PANS = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("[data-label]"))) {
  const label = /** @type {string} */ (button.dataset.label);
  actions[label] = labels[label] = () => say(label);
  button.addEventListener("click", (event) => {
    if (event.detail) button.blur(); // a tap leaves it no focus: Space is for the photograph before
    // A label is of what is on the screen: while that is the photograph before, a tap leads back to its own.
    if (photo.classList.contains("before")) previous(false);
    else if (event.detail < 2) say(label);
  });
}
for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("[data-do]"))) {
  const action = button.dataset.do ?? "";
  button.addEventListener("click", (event) => {
    if (event.detail) button.blur();
    if (action !== "previous") previous(false);
    actions[action]();
  });
}

/** Whether a key is meant for what has the focus: a control's own, or any in what is not about the photograph. @param {KeyboardEvent} event */
function isOfTheFocus(event) {
  const focus = event.target instanceof Element ? event.target : document.body;
  if (focus.closest("body > header, body > footer, #failed")) return true;
  return [" ", "Enter"].includes(event.key) && focus.closest("button, a, input, select, summary") !== null;
}

addEventListener("keydown", (event) => {
  if (help.open) return keys.take(event);
  if (event.ctrlKey || event.metaKey || event.altKey || stopped) return;
  if (desk.hidden && keys.action(event) !== "undo") return; // the last label can be taken back all the same
  if (isOfTheFocus(event)) {
    if (event.repeat) event.preventDefault(); // a key that is held down presses its button once
    return;
  }
  const pan = event.shiftKey && keysOn.checked && PANS[event.key];
  if (pan) { event.preventDefault(); zoom.pan(...pan); return; }
  const action = keys.action(event);
  if (!action || (!keysOn.checked && action !== "help")) return;
  event.preventDefault();
  if (event.repeat && action in labels) return; // a key that is held down labels one photograph
  const wasBefore = photo.classList.contains("before");
  previous(action === "previous");
  if (action === "previous" || (wasBefore && action in labels)) return; // a label is of what is on the screen
  actions[action]();
});
addEventListener("keyup", (event) => { if (keys.action(event) === "previous") previous(false); });
addEventListener("blur", () => previous(false));
addEventListener("beforeunload", (event) => { if (unsaved.length) event.preventDefault(); });

at("keys-reset").addEventListener("click", () => keys.reset());
help.addEventListener("close", () => { if (keys.asking) keys.ask(null); });
keysOn.checked = localStorage.getItem("keys") !== "off";
keysOn.addEventListener("change", () => localStorage.setItem("keys", keysOn.checked ? "on" : "off"));
at("again").addEventListener("click", save);
at("look").addEventListener("click", () => { skipped.clear(); fill(); });

/** Keep the photographs at hand for this person; what is somebody else's by now (a tablet may have slept) is left to them. */
async function hold() {
  if (!queue.length || stopped || document.hidden) return;
  const asked = queue.slice(0, AT_HAND);
  try {
    const seen = asked.flatMap((item) => /** @type {Array<[string, string]>} */ ([["capture", item.id], ["seen", String(item.review ?? 0)]]));
    const held = await post("/review/hold", [["tab", tab], ...seen]);
    const lost = new Set(asked.filter((item) => !held.kept.includes(item.id)));
    if (!lost.size) return;
    if (lost.has(queue[0])) at("taken").hidden = false;
    queue.splice(0, queue.length, ...queue.filter((item) => !lost.has(item)));
    fill();
  } catch {
    // the next label says it
  }
}
setInterval(hold, HOLD);
document.addEventListener("visibilitychange", hold);

const first = desk.dataset.first;
if (first) {
  try {
    const answer = await fetch(`/review/item?capture=${first}`, { signal: AbortSignal.timeout(LONGEST) });
    if (answer.ok) queue.push(await answer.json());
    else if (answer.status === 404) {
      at("refused").textContent = at("refused").dataset.absent ?? "";
      at("refused").hidden = false;
    }
  } catch {
    // what is asked for next says it
  }
}
if (unsaved.length) save();
fill();
