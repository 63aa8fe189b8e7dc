// @ts-check
/**
 * Keeps a page up to date: the server says which pieces changed, and this fetches them anew.
 *
 * Moments are those of `performance.now()`: how old something was when it came says the server, and what passes since
 * then is counted here, whatever this computer's clock says.
 */

/** Milliseconds without a word from the server after which the connection counts as lost. */
const SILENT_AFTER = 15_000;
/** Milliseconds after which all is fetched anew in any case. */
const REFRESH = 300_000;
/** Milliseconds after which ages are written anew. */
const TICK = 5_000;
/** Milliseconds that a piece may take to come. */
const LONGEST = 10_000;
/** Milliseconds that it may take before the page says that it is out of date. */
const PROMPT = 2_000;
/** Milliseconds after which a piece that did not come is asked for again. */
const AGAIN = 3_000;
/** Seconds by which a piece may have been begun before the server's last word: it is kept for a second for all who ask. */
const KEPT = 3;

const spoken = /** @type {HTMLElement} */ (document.getElementById("spoken"));
const banner = /** @type {HTMLElement} */ (document.getElementById("lost"));
/** @type {number | undefined} */
let silence;
/** @type {number | undefined} set from the first error until the server says something again */
let failing;
/** @type {Map<string, number>} what changed and was not asked for yet, and when that was said: the oldest first */
const wanted = new Map();
let fetching = false;
/** When the server said its last word, in seconds by its own clock. */
let moment = 0;
/** Whether the server is silent, or cannot see the line itself. */
let blind = false;
/** Whether a piece that changed did not come. */
let behind = false;

/** Say that what is shown may be out of date. @param {number} since */
function lose(since) {
  if (!banner.hidden) return;
  document.body.classList.remove("unheard");
  banner.hidden = false;
  const time = /** @type {HTMLTimeElement} */ (banner.querySelector("time"));
  time.dataset.age = "0";
  came.set(time, since);
  writeAge(time);
  document.body.classList.add("disconnected");
}

/** All that is known is shown again. */
function find() {
  if (banner.hidden || blind || behind) return;
  banner.hidden = true;
  document.body.classList.remove("disconnected");
}

/** Nothing more is known of the line. @param {number} since */
function goBlind(since) {
  blind = true;
  lose(since);
}

/** Nothing was heard for long: whoever should have said something may be gone, and nobody reloads a wall board. @param {number} since */
function fallSilent(since) {
  goBlind(since);
  watch(since);
  join();
}

/** Wait for the next word. @param {number} since when the last one came */
function watch(since) {
  clearTimeout(silence);
  silence = setTimeout(() => fallSilent(since), SILENT_AFTER);
}

/** The server has said something. */
function heard() {
  clearTimeout(failing);
  failing = undefined;
  watch(performance.now());
}

/** It has said that it sees the line. After a time of which nothing is known all is fetched anew before it is believed. */
function sees() {
  heard();
  if (blind) { blind = false; behind = true; refreshAll(); }
  find();
}

/** Ask for pieces that changed. @param {...string} ids */
function want(...ids) {
  for (const id of ids) if (!wanted.has(id)) wanted.set(id, performance.now());
  refresh();
}

/**
 * Fetch a piece of the page; null where it is no more. What a proxy says in its place is none, nor what one has kept of
 * a time before the server's last word: a piece says itself when it was begun, as headers may be lost on the way.
 * @param {string} address @returns {Promise<string | null>}
 */
async function fetched(address) {
  const since = moment;
  const answer = await fetch(address, { headers: { Accept: "text/plain" }, signal: AbortSignal.timeout(LONGEST) });
  const text = await answer.text();
  const [mark, begun] = /^<!--([\d.]+)-->/.exec(text) ?? [];
  if (mark === undefined) throw new Error(`${address}: ${answer.status}`);
  if (Number(begun) < since - KEPT) throw new Error(`${address}: ${begun}`);
  if (answer.status === 401) location.reload(); // to the login
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return text.slice(mark.length);
}

/** Put a piece in its place; what a person has opened or points at stays. @param {HTMLElement} place @param {string} text */
function put(place, text) {
  const within = document.createElement("template");
  within.innerHTML = text;
  const open = place.querySelector("details")?.open;
  const before = new Set(cardsOf(place).map(said));
  const focused = place.contains(document.activeElement) ? document.activeElement?.getAttribute("href") : null;
  const whole = within.content.querySelector(`[data-piece="${place.dataset.piece}"]`);
  if (whole) place.replaceWith(whole);
  else place.replaceChildren(within.content);
  const now = /** @type {HTMLElement} */ (whole ?? place);
  const news = cardsOf(now).map(said).filter((answer) => !before.has(answer));
  if (news.length) spoken.textContent = news.join("; "); // to who does not see it
  if (open) now.querySelector("details")?.setAttribute("open", "");
  if (focused) /** @type {HTMLElement | null} */ (now.querySelector(`[href="${CSS.escape(focused)}"]`))?.focus();
}

/** The heads that a piece is, or has. @param {Element} piece */
const cardsOf = (piece) => (piece.matches(".card") ? [piece] : [...piece.querySelectorAll(".card")]);
/** A head and its answer, as they are shown. @param {Element} card */
const said = (card) => ["h2", ".answer"]
  .map((of) => /** @type {HTMLElement | null} */ (card.querySelector(of))?.innerText.replace(/\s+/g, " ").trim()).join(": ");

/** Heads from which on a board is crowded, and of those how many that need a person make it busier (`head_cards.crowd` has the same). */
const MANY = 9, BUSY = 4, CROWDED = 7;

/** Say how many heads there are of each answer, and lead to the first: it may be below the screen. How large they are on a board goes by that. */
function count() {
  const cards = document.querySelector("#heads .cards");
  const all = cards?.querySelectorAll(".card").length ?? 0, busy = cards?.querySelectorAll(".card:not(.go, .stale)").length ?? 0;
  cards?.classList.toggle("many", all >= MANY);
  cards?.classList.toggle("busy", all >= MANY && busy >= BUSY && busy < CROWDED);
  cards?.classList.toggle("crowded", all >= MANY && busy >= CROWDED);
  for (const part of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("#tally [data-state]"))) {
    const heads = document.querySelectorAll(`#heads .card.${part.dataset.state}`);
    part.hidden = !heads.length;
    if (heads.length) part.href = `#${heads[0].id}`;
    /** @type {HTMLElement} */ (part.querySelector("b")).textContent = heads.length.toLocaleString(document.documentElement.lang);
  }
}
count();

/** @param {string} id @returns {HTMLElement | null} */
function pieceOf(id) {
  return document.querySelector(`[data-piece="${id}"]`);
}

/** Whether a head is another machine's, and none of this page. @param {string} id */
function isElsewhere(id) {
  const cards = /** @type {HTMLElement | null} */ (document.querySelector("#heads [data-elsewhere]"));
  return Boolean(cards?.dataset.elsewhere?.split(" ").includes(id));
}

/** Fetch all pieces that changed, one after the other; one that the page does not have yet needs all of them. */
async function refresh() {
  if (fetching) return;
  fetching = true;
  let id = "", since = 0;
  try {
    while (wanted.size) {
      [[id, since]] = wanted;
      wanted.delete(id);
      const piece = pieceOf(id);
      if (!piece && isElsewhere(id)) continue;
      const place = piece ?? /** @type {HTMLElement} */ (document.getElementById("heads"));
      // What changed and does not come at once is not what is shown: it counts from when that was said.
      const late = setTimeout(() => { behind = true; lose(since); }, since + PROMPT - performance.now());
      const text = await fetched(place.dataset.from ?? "").finally(() => clearTimeout(late));
      if (wanted.has(id)) wanted.set(id, since); // it has changed again meanwhile: what came is of before that
      else if (text !== null) put(place, text);
      else if (piece?.matches(".card")) piece.remove(); // a head that is known no more
      count();
    }
    behind = false;
    document.body.classList.remove("unheard");
    find();
  } catch {
    wanted.set(id, wanted.get(id) ?? performance.now());
    behind = true;
    lose(since);
    setTimeout(refresh, AGAIN);
  } finally {
    fetching = false;
  }
}

function refreshAll() {
  want("faults", "heads");
}

/** What this page is made of. */
const edition = /** @type {HTMLMetaElement} */ (document.querySelector('meta[name="edition"]')).content;

/** Another edition of the console answers: nobody reloads a wall board, so it does that itself, where it would be of that one then. @param {string} other */
async function renew(other) {
  const page = await fetch(location.href, { signal: AbortSignal.timeout(LONGEST) }).then((answer) => answer.text(), () => "");
  if (page.includes(`content="${other}"`)) location.reload();
}

/** What the server says, and what is done then. @type {Record<string, (data: string) => void>} */
const NEWS = {
  ready: (of) => { if (of !== edition) renew(of); blind = true; sees(); },
  beat: sees,
  changed: (id) => { sees(); want(id); },
  away: () => { heard(); goBlind(performance.now()); },
  error: (how) => {
    const at = performance.now();
    failing ??= setTimeout(() => goBlind(at), 2_000); // an ordinary end of a stream is over by then; a browser may try again sooner
    if (how === "closed") fetched("/line/faults").catch(() => undefined); // to the login where that has ended
  },
};

/** @type {EventSource | undefined} this page's own stream */
let source;

/** @param {string} name @param {string} data @param {string} [at] when the server said so */
function tell(name, data, at) {
  moment = Number(at || moment);
  NEWS[name](data);
}

function listen() {
  source?.close();
  const own = source = new EventSource("/events");
  for (const name of ["ready", "beat", "changed", "away"]) own.addEventListener(name, (event) => tell(name, event.data, event.lastEventId));
  own.addEventListener("error", () => {
    const closed = own.readyState === EventSource.CLOSED;
    tell("error", closed ? "closed" : "");
    // Refused: the session has ended, or a proxy speaks for a server that is gone.
    if (closed) setTimeout(() => { if (source === own) listen(); }, 3_000);
  });
}

/** @type {MessagePort | undefined} to the worker that has the stream of all pages */
let port;

/** Share one stream with the other pages of this browser; a browser that cannot has one for each. A worker that was killed is made anew. */
function join() {
  if (!("SharedWorker" in window)) { listen(); return; }
  port?.postMessage("leaves");
  port?.close();
  const worker = new SharedWorker(`/static/news.js?${edition}`); // another one is another worker
  worker.onerror = () => { goBlind(performance.now()); setTimeout(join, AGAIN); }; // its script did not come
  port = worker.port;
  port.onmessage = ({ data }) => tell(...data);
  port.postMessage("joins");
}

/** @type {WeakMap<Element, number>} when a piece came */
const came = new WeakMap();
const UNITS = /** @type {const} */ ([[86_400, "day"], [3_600, "hour"], [60, "minute"], [1, "second"]]);

/** By how much this computer's clock runs ahead of the time that the page has been awake. */
let slept = Date.now() - performance.now();

/** Seconds since an element came. @param {Element} element */
function passed(element) {
  const now = performance.now();
  if (!came.has(element)) came.set(element, now);
  return (now - (came.get(element) ?? now)) / 1000;
}

/** @param {HTMLElement | SVGElement} element */
function writeAge(element) {
  const age = Math.max(0, Number(element.dataset.age) + passed(element));
  const [size, unit] = UNITS.find(([seconds]) => age >= seconds) ?? UNITS[3];
  const written = new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit, unitDisplay: "short" });
  element.textContent = written.format(Math.floor(age / size));
}

/** Ages grow without news, and what grows too old says so by itself. */
function grow() {
  const now = performance.now();
  // Asleep, nothing was heard, and no age grew. A clock that was only set is taken for it: all is fetched anew.
  const ahead = Date.now() - now;
  if (Math.abs(ahead - slept) > SILENT_AFTER) {
    goBlind(now - Math.max(0, ahead - slept));
    join();
  }
  slept = ahead;
  for (const element of /** @type {NodeListOf<HTMLElement | SVGElement>} */ (document.querySelectorAll("[data-age]"))) {
    if (passed(element) > 1) writeAge(element);
  }
  for (const element of /** @type {NodeListOf<HTMLElement | SVGElement>} */ (document.querySelectorAll("[data-stale-in]"))) {
    if (passed(element) <= Number(element.dataset.staleIn)) continue;
    delete element.dataset.staleIn;
    const piece = /** @type {HTMLElement | null} */ (element.closest("[data-piece]"));
    if (!piece?.dataset.piece) continue;
    // At once, whether or not the server can be asked. What a person has to do stays.
    const open = ["replace", "review"].find((state) => piece.classList.contains(state));
    piece.className = open ? `card ${open} aged` : "card stale";
    count();
    want(piece.dataset.piece);
  }
}

addEventListener("pagehide", () => { clearTimeout(silence); clearTimeout(failing); port?.postMessage("leaves"); });
addEventListener("pageshow", (event) => { if (event.persisted) { watch(performance.now()); join(); } });
document.addEventListener("resume", () => { goBlind(performance.now()); join(); }); // a page that was frozen heard nothing
setInterval(refreshAll, REFRESH);
setInterval(grow, TICK);
grow();
heard();
join();
