// Addresses are the state: every page, tab and filter has one. Plain `<a href>` works everywhere; clicks on them stay inside the page.

import { useCallback, useEffect, useState } from "preact/hooks";

export interface Route {
  path: string;
  search: URLSearchParams;
}

const listeners = new Set<() => void>();

function changed(): void {
  for (const listener of [...listeners]) listener();
}

/** Goes to a path of these pages. */
export function navigate(to: string, how: { replace?: boolean } = {}): void {
  const url = new URL(to, location.href);
  if (url.href === location.href) return;
  const samePage = url.pathname === location.pathname;
  history[how.replace ? "replaceState" : "pushState"](null, "", url);
  if (!samePage) window.scrollTo(0, 0);
  changed();
}

window.addEventListener("popstate", changed);

/** Paths that the server answers itself. */
const OUTSIDE = /^\/(api|assets|metrics|login)(\/|$)/;

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element).closest?.("a[href]");
  if (!link || link.hasAttribute("target") || link.hasAttribute("download")) return;
  // By attribute: links in drawings have an object there.
  const url = new URL(link.getAttribute("href") ?? "", location.href);
  if (url.origin !== location.origin || OUTSIDE.test(url.pathname)) return;
  if (url.pathname === location.pathname && url.search === location.search && url.hash !== "") return;
  event.preventDefault();
  navigate(url.href);
});

/** Where we are; the component is drawn again when that changes. */
export function useRoute(): Route {
  const read = () => location.pathname + location.search;
  const [at, setAt] = useState(read);
  useEffect(() => {
    const listener = () => setAt(read());
    listeners.add(listener);
    listener();
    return () => void listeners.delete(listener);
  }, []);
  const url = new URL(at, location.origin);
  return { path: url.pathname, search: url.searchParams };
}

/** A value of the address's query, and how to change it (without a step in the history). */
export function useQuery(name: string, otherwise = ""): [string, (value: string) => void] {
  const { search } = useRoute();
  const set = useCallback(
    (value: string) => setQuery({ [name]: value === otherwise ? "" : value }),
    [name, otherwise],
  );
  return [search.get(name) ?? otherwise, set];
}

/** Changes values of the address's query; an empty one is left out. */
export function setQuery(values: Record<string, string>, how: { replace?: boolean } = { replace: true }): void {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(values)) {
    if (value === "") url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  navigate(url.href, how);
}

/**
 * The values of `pattern`'s `:names` in `path`, or null if it is another page: `/runs/:run` in `/runs/ab%20c` has `run: "ab c"`.
 * A path that is not well-formed is no page.
 */
export function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split("/");
  const given = path.replace(/(?<=.)\/+$/, "").split("/");
  if (wanted.length !== given.length) return null;
  const values: Record<string, string> = {};
  for (const [i, part] of wanted.entries()) {
    const value = given[i] ?? "";
    if (!part.startsWith(":")) {
      if (part !== value) return null;
      continue;
    }
    if (value === "") return null;
    try {
      values[part.slice(1)] = decodeURIComponent(value);
    } catch {
      return null;
    }
  }
  return values;
}
