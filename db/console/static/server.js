// @ts-check
/** Asks the console in the name of this page's person, also with the session of a later login. */

/** Milliseconds that an answer may take; a console that says nothing for so long does not answer. */
export const LONGEST = 5_000;
/** What `post` fails with where something in front of the console answers, or takes the console's name out of its answers. */
export const PROXY = "a proxy's word";
/** What the console answers where it may take the same later; whatever else it refuses, it refuses for good. */
const PASSING = ["401", "403", "408", "429"];

/** @param {string} name */
const meta = (name) => /** @type {HTMLMetaElement} */ (document.querySelector(`meta[name="${name}"]`)).content;

export const person = meta("person");
let csrf = meta("csrf");

/** Whether what `post` failed with is the console's last word. @param {string} status */
export function isForGood(status) {
  return /^4\d\d$/.test(status) && !PASSING.includes(status);
}

/**
 * Ask the server; once more with a new token where the session has changed under this page. What it fails with is the
 * status, or `role` where the role is too low now.
 * @param {string} to @param {Array<[string, string]>} form @returns {Promise<any>}
 */
export async function post(to, form, again = true) {
  const headers = { "X-CSRF-Token": csrf, Accept: "application/json" };
  const signal = AbortSignal.timeout(LONGEST);
  const answer = await fetch(to, { method: "POST", headers, body: new URLSearchParams(form), signal });
  compare(answer);
  if (answer.ok && isOfTheConsole(answer)) return answer.json();
  if (answer.status === 403 && again && (await renewed())) return post(to, form, false);
  throw new Error(isOfTheConsole(answer) || PASSING.includes(String(answer.status)) ? String(answer.status) : PROXY);
}

/** Whether the console says it itself: a proxy before one that is gone refuses no label, and takes none. @param {Response} answer */
function isOfTheConsole(answer) {
  return answer.headers.has("X-Answered-By");
}

/** Say it where another edition of the console answers than this page is of: its person decides when to load it anew. @param {Response} answer */
function compare(answer) {
  const other = answer.headers.get("X-Answered-By")?.split(" ")[1];
  const word = document.getElementById("upgraded");
  if (word && other && other !== meta("edition")) word.hidden = false;
}

/** Whether this page's person has signed in again; the page then has the new session's token. An error where the role is too low. */
async function renewed() {
  const answer = await fetch("/review", { headers: { Accept: "text/plain" }, signal: AbortSignal.timeout(LONGEST) });
  if (answer.status === 403 && isOfTheConsole(answer)) throw new Error("role");
  if (!answer.ok) return false;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  /** @param {string} name */
  const of = (name) => page.querySelector(`meta[name="${name}"]`)?.getAttribute("content");
  if (of("person") !== person) return false;
  csrf = of("csrf") ?? "";
  return true;
}
