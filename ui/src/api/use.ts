// Reads as hooks: what was known is shown at once, then what is; again whenever a change says so.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Problem, get, known } from "./client";
import { type Change, watch } from "./live";

export interface Resource<T> {
  /** The last answer; undefined before the first. */
  data: T | undefined;
  /** Why the last read failed; null after one that did not. */
  error: Problem | null;
  /** Reads again now. */
  reload: () => void;
}

/** Not more often than that is anything read again because of changes. */
const REFRESH_MS = 700;

/**
 * Reads `path`, or nothing if it is null. With `live`, reads again after changes for which it says yes, at most every 0.7 s.
 */
export function useResource<T>(path: string | null, live?: (change: Change) => boolean): Resource<T> {
  const [state, setState] = useState<{ path: string | null; data: T | undefined; error: Problem | null }>({ path: null, data: undefined, error: null });
  const abort = useRef<AbortController | null>(null);

  const reload = useCallback(() => {
    if (path === null) return;
    abort.current?.abort();
    const mine = new AbortController();
    abort.current = mine;
    get<T>(path, mine.signal).then(
      (data) => !mine.signal.aborted && setState({ path, data, error: null }),
      (error: unknown) => {
        if (mine.signal.aborted) return;
        const problem = error instanceof Problem ? error : new Problem(0, "this page has a mistake", String(error), null, null, []);
        setState((before) => ({ path, data: before.path === path ? before.data : known<T>(path), error: problem }));
      },
    );
  }, [path]);

  useEffect(() => {
    reload();
    return () => abort.current?.abort();
  }, [reload]);

  const wanted = useRef(live);
  wanted.current = live;
  const isLive = live !== undefined && path !== null;
  useEffect(() => {
    if (!isLive) return;
    let timer: ReturnType<typeof setTimeout> | null = null;
    const stop = watch((change) => {
      if (timer !== null || !(change.kind === "refresh" || wanted.current?.(change))) return;
      timer = setTimeout(() => {
        timer = null;
        reload();
      }, REFRESH_MS);
    });
    return () => {
      stop();
      if (timer !== null) clearTimeout(timer);
    };
  }, [isLive, reload]);

  const current = state.path === path;
  return { data: current ? state.data : path === null ? undefined : known<T>(path), error: current ? state.error : null, reload };
}
