// @ts-check
/**
 * One stream of news for all pages of this browser: a shared worker, which tells each page what the server says.
 *
 * A browser opens six connections to a host without HTTP/2, and a stream holds one for good: with one for each page, the
 * sixth page would leave none for anything else.
 */

/** Milliseconds without a word after which a stream counts as dead: the server says something every ten seconds. */
const SILENT = 12_000;

/** @type {Set<MessagePort>} the pages that listen */
const pages = new Set();
/** @type {EventSource | undefined} */
let source;
/** Whether the server has said something since the last error. */
let open = false;
/** When the stream was begun or last said something. */
let heard = 0;
/** What the server is ready with, and when it said something last, by its own clock. */
let edition = "", moment = "";

/** @param {string} name @param {string} data @param {string} [at] */
function tell(name, data, at) {
  for (const page of pages) page.postMessage([name, data, at]);
}

function listen() {
  heard = performance.now();
  source = new EventSource("/events");
  for (const name of ["ready", "beat", "changed", "away"]) {
    source.addEventListener(name, (event) => {
      open = true;
      heard = performance.now();
      moment = event.lastEventId;
      if (name === "ready") edition = event.data;
      tell(name, event.data, moment);
    });
  }
  source.addEventListener("error", () => {
    open = false;
    const closed = source?.readyState === EventSource.CLOSED;
    tell("error", closed ? "closed" : "");
    if (!closed) return;
    source = undefined; // refused: the session has ended, or a proxy speaks for a server that is gone
    setTimeout(() => { if (pages.size && !source) listen(); }, 3_000);
  });
}

/** A page comes, or comes again as it heard nothing: a network that went away without a word has left a dead stream. @param {MessagePort} page */
function joins(page) {
  pages.add(page);
  if (source && performance.now() - heard > SILENT) end();
  if (open) page.postMessage(["ready", edition, moment]);
  else if (!source) listen();
}

/** @param {MessagePort} page */
function leaves(page) {
  pages.delete(page);
  if (!pages.size) end();
}

function end() {
  source?.close();
  source = undefined;
  open = false;
}

addEventListener("connect", (event) => {
  const [page] = /** @type {MessageEvent} */ (event).ports;
  page.onmessage = ({ data }) => (data === "leaves" ? leaves(page) : joins(page));
});
