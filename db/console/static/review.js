// @ts-check
/**
 * One photograph, one key, the next photograph.
 *
 * A label is shown as given at once and saved behind it (`saving.js`). Here is what is looked at, in which order: the
 * queue, what was labelled and can be gone back to, and what was skipped.
 */

import { Desk } from "./desk.js";
import { at, buttons, called } from "./elements.js";
import { listen } from "./pressing.js";
import { Progress } from "./progress.js";
import { Saving } from "./saving.js";
import { LONGEST, person, post } from "./server.js";
import { tab } from "./tab.js";
import { store } from "./unsaved.js";

/** @typedef {import("./desk.js").Item} Item */

/** So many photographs are at hand: the one that is looked at and the next ones, already loaded. */
const AT_HAND = 4;
/** Milliseconds between two requests to keep them, well within the minute for which they are kept. */
const HOLD = 20_000;
/** Milliseconds after which more is asked for again. */
const RETRY = 3_000;
/** So many labels can be gone back to after a reload. */
const KEPT = 100;
/** So many skipped ones are named when more is asked for, the newest; the server takes no form of a thousand fields. */
const NAMED = 300;

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
let beyond = 0, more = false, asking = false;

const desk = new Desk();
const progress = new Progress();
const saving = new Saving(
  (capture, review) => {
    // Who goes back to it knows it: the same word is then another review, and not this one said again.
    for (const item of [...labelled, ...queue]) if (item.id === capture) item.review = review;
    remember();
  },
  drop,
  fill,
);

/** What this tab keeps over a reload. @param {string} name @returns {any[]} */
function kept(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name) ?? "[]");
  } catch {
    return []; // whatever wrote that, it was not this page
  }
}

function remember() {
  const gone_back_to = queue.filter((item) => undone.has(item.id)); // over a reload they keep their labels
  store(sessionStorage, "labelled", [...labelled, ...gone_back_to].slice(-KEPT));
}

/** Say that a label is not kept, and go on: the server will never take it. @param {import("./unsaved.js").Saying} saying @param {string} status */
function drop({ capture, place }, status) {
  for (const items of [labelled, queue]) { // it may have been gone back to
    const place_of = items.findIndex((item) => item.id === capture);
    if (place_of >= 0) items.splice(place_of, 1);
  }
  undone.delete(capture);
  const { gone, overtaken } = at("refused").dataset;
  at("refused").textContent = `${place}: ${status === "409" ? overtaken : gone}`;
  at("refused").hidden = false;
  remember();
  fill();
}

/** Show the next photograph at once, and have enough at hand, loaded before they are looked at. */
async function fill() {
  if (queue.length) show();
  if (asking || saving.stopped || queue.length >= AT_HAND) return show();
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
    if (["401", "403", "role"].includes(error instanceof Error ? error.message : "")) saving.fail(error);
    else {
      at("no-more").hidden = false;
      setTimeout(fill, RETRY);
    }
  } finally {
    asking = false;
  }
  desk.keep(queue.slice(0, AT_HAND));
  show();
}

/** Show the first photograph of the queue, and how much is left. */
function show() {
  const item = queue[0];
  at("desk").hidden = !item;
  at("nothing").hidden = Boolean(item) || asking || !at("no-more").hidden;
  for (const button of buttons("do")) if (button.dataset.do === "undo") button.disabled = !labelled.length;
  if (!item) return;
  at("put-off").hidden = !putOff.size;
  desk.show(item);
  progress.show(labelled.length, beyond + queue.filter((item) => !item.said).length, more);
}

/** @param {string} label */
function say(label) {
  const took = desk.seenFor(queue[0]);
  if (saving.stopped || !took || !desk.canBe(label)) return;
  const item = queue.shift();
  if (!item) return;
  at("taken").hidden = at("refused").hidden = true;
  undone.delete(item.id);
  putOff.delete(item.id);
  progress.took(took);
  labelled.push({ ...item, said: label, by: person });
  remember();
  at("spoken").textContent = `${item.place}: ${called(label)}`;
  saving.say({ capture: item.id, label, place: item.place, seen: item.review });
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

/** Keep the photographs at hand for this person; what is somebody else's by now (a tablet may have slept) is left to them. */
async function hold() {
  if (!queue.length || saving.stopped || document.hidden) return;
  const next = queue.slice(0, AT_HAND);
  try {
    const seen = next.flatMap((item) => /** @type {Array<[string, string]>} */ ([["capture", item.id], ["seen", String(item.review ?? 0)]]));
    const held = await post("/review/hold", [["tab", tab], ...seen]);
    const lost = new Set(next.filter((item) => !held.kept.includes(item.id)));
    if (!lost.size) return;
    if (lost.has(queue[0])) at("taken").hidden = false;
    queue.splice(0, queue.length, ...queue.filter((item) => !lost.has(item)));
    fill();
  } catch {
    // the next label says it
  }
}

listen(desk, { undo, skip, evidence: () => { desk.explain(); fill(); } }, say, () => saving.stopped);
at("look").addEventListener("click", () => { skipped.clear(); fill(); });
setInterval(hold, HOLD);
document.addEventListener("visibilitychange", hold);

const first = at("desk").dataset.first;
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
saving.save();
fill();
