// @ts-check
/** Loads a page anew that is looked at again: nobody reloads a tablet beside a machine, and an old list looks like a new one. */

/** Milliseconds after which a page is old. */
const OLD = 30_000;
/** Milliseconds that the new one may take; while the console does not answer, the old one stays, with the time that it says. */
const LONGEST = 10_000;

const came = Date.now();

async function look() {
  if (document.visibilityState !== "visible" || Math.abs(Date.now() - came) < OLD) return;
  const answer = await fetch(location.href, { signal: AbortSignal.timeout(LONGEST) }).catch(() => undefined);
  if (answer?.headers.has("X-Answered-By") && answer.status < 500) location.reload(); // perhaps to the login
}

document.addEventListener("visibilitychange", look);
addEventListener("pageshow", look);
