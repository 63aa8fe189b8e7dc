// @ts-check
/**
 * The name of this tab: it stays over a reload, and a tab that is made by doubling this one has another.
 *
 * While a page is there the tab's storage, of which a new tab may get a copy, does not have the name.
 */

const KEPT = "tab";

const take = () => { const name = sessionStorage.getItem(KEPT); sessionStorage.removeItem(KEPT); return name; };

export const tab = take() ?? [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(36)).join("-");

addEventListener("pagehide", () => sessionStorage.setItem(KEPT, tab));
addEventListener("pageshow", (event) => { if (event.persisted) take(); });
