// @ts-check
/**
 * One stream of news for all pages of this browser: a shared worker, which tells each page what the server says.
 *
 * A browser opens six connections to a host without HTTP/2, and a stream holds one for good: with one for each page, the
 * sixth page would leave none for anything else.
 */

/** @type {Set<MessagePort>} the pages that listen */
const pages = new Set();
/** @type {EventSource | undefined} */
let source;
/** Whether the server has said something since the last error. */
let open = false;

/** @param {string} name @param {string} data */
function tell(name, data) {
  for (const page of pages) page.postMessage([name, data]);
}

function listen() {
  source = new EventSource("/events");
  for (const name of ["ready", "beat", "changed", "away"]) {
    source.addEventListener(name, (event) => { open = true; tell(name, event.data); });
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

/** @param {MessagePort} page */
function joins(page) {
  pages.add(page);
  if (open) page.postMessage(["ready", ""]);
  else if (!source) listen();
}

/** @param {MessagePort} page */
function leaves(page) {
  pages.delete(page);
  if (pages.size) return;
  source?.close();
  source = undefined;
  open = false;
}

addEventListener("connect", (event) => {
  const [page] = /** @type {MessageEvent} */ (event).ports;
  page.onmessage = ({ data }) => (data === "leaves" ? leaves(page) : joins(page));
});
