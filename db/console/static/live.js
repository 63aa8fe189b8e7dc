// @ts-check
/** Keeps a page up to date: the server says which pieces changed, and this fetches them anew. */

/** Milliseconds without a word from the server after which the connection counts as lost. */
const PATIENCE = 15_000;
/** Milliseconds after which all is fetched anew in any case, as ages grow without news. */
const REFRESH = 30_000;

const banner = /** @type {HTMLElement} */ (document.getElementById("lost"));
/** @type {number | undefined} */
let silence;
/** @type {Set<string>} */
const wanted = new Set();
let fetching = false;

/** Say that what is shown may be out of date. @param {Date} since */
function lose(since) {
  if (!banner.hidden) return;
  banner.hidden = false;
  const time = /** @type {HTMLTimeElement} */ (banner.querySelector("time"));
  time.textContent = since.toLocaleTimeString(document.documentElement.lang);
  document.body.classList.add("disconnected");
}

/** The server has said something. */
function heard() {
  clearTimeout(silence);
  const at = new Date();
  silence = setTimeout(() => lose(at), PATIENCE);
  if (banner.hidden) return;
  banner.hidden = true;
  document.body.classList.remove("disconnected");
}

/** Fetch a piece of the page. @param {string} address @returns {Promise<string | null>} */
async function fetched(address) {
  const answer = await fetch(address, { headers: { Accept: "text/plain" } });
  if (answer.status === 401) location.reload(); // to the login
  return answer.ok ? answer.text() : null;
}

/** Put a piece in its place; what a person has opened or points at stays. @param {HTMLElement} place @param {string} text */
function put(place, text) {
  const within = document.createElement("template");
  within.innerHTML = text;
  const open = place.querySelector("details")?.open;
  const focused = place.contains(document.activeElement) ? document.activeElement?.getAttribute("href") : null;
  const whole = within.content.querySelector(`[data-piece="${place.dataset.piece}"]`);
  if (whole) place.replaceWith(whole);
  else place.replaceChildren(within.content);
  const now = /** @type {HTMLElement} */ (whole ?? place);
  if (open) now.querySelector("details")?.setAttribute("open", "");
  if (focused) /** @type {HTMLElement | null} */ (now.querySelector(`[href="${CSS.escape(focused)}"]`))?.focus();
}

/** Fetch all pieces that changed, one after the other; one that the page does not have yet needs all of them. */
async function refresh() {
  if (fetching) return;
  fetching = true;
  try {
    while (wanted.size) {
      const [id] = wanted;
      wanted.delete(id);
      const found = document.querySelector(`[data-piece="${id}"]`) ?? document.getElementById("heads");
      const place = /** @type {HTMLElement} */ (found);
      const text = await fetched(place.dataset.from ?? "");
      if (text !== null) put(place, text);
    }
  } catch {
    lose(new Date());
  } finally {
    fetching = false;
  }
}

function refreshAll() {
  wanted.add("faults").add("heads");
  refresh();
}

function listen() {
  const source = new EventSource("/events");
  source.addEventListener("ready", () => { heard(); refreshAll(); });
  source.addEventListener("beat", heard);
  source.addEventListener("changed", (event) => { heard(); wanted.add(event.data); refresh(); });
  source.addEventListener("error", () => {
    const at = new Date();
    clearTimeout(silence);
    silence = setTimeout(() => lose(at), 2_000); // an ordinary end of a stream is over by then
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(listen, 3_000); // refused: the session has ended, or a proxy speaks for a server that is gone
    fetched("/line/faults").catch(() => undefined);
  });
}

addEventListener("pagehide", () => clearTimeout(silence));
setInterval(refreshAll, REFRESH);
heard();
listen();
