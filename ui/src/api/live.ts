// What changed, as the daemon tells it: one stream for the page, shared by everything on it. Changes say that something is to be read again;
// what it is now comes from reads alone. A hidden tab holds no connection (browsers allow six to a host) and catches up when it is seen again.

import { type Stream, follow } from "./sse";

/** A change: `run`, `task`, `pipeline`, `model`; `refresh` when changes may have been missed. */
export interface Change {
  kind: string;
  run?: string;
  pipeline?: string;
  task?: string;
  status?: string;
  state?: string;
}

type Watcher = (change: Change) => void;

const watchers = new Set<Watcher>();
const states = new Set<(connected: boolean) => void>();
let stream: Stream | null = null;
let last: string | null = null;
let connected = false;

function tell(change: Change): void {
  for (const watcher of [...watchers]) watcher(change);
}

function setConnected(yes: boolean): void {
  if (yes === connected) return;
  connected = yes;
  for (const state of [...states]) state(yes);
  if (yes) tell({ kind: "refresh" });
}

function open(): void {
  if (stream || document.hidden) return;
  stream = follow("/events", {
    connected: setConnected,
    message: ({ id, event, data }) => {
      last = id ?? last;
      try {
        tell({ ...(JSON.parse(data) as object), kind: event });
      } catch {
        tell({ kind: "refresh" });
      }
    },
  }, last);
}

function close(): void {
  stream?.close();
  stream = null;
}

/** Calls `watcher` at every change until the function that it answers is called. */
export function watch(watcher: Watcher): () => void {
  watchers.add(watcher);
  open();
  return () => {
    watchers.delete(watcher);
    if (watchers.size === 0) close();
  };
}

/** Calls `state` whenever the connection comes or goes, and at once. */
export function watchConnection(state: (connected: boolean) => void): () => void {
  states.add(state);
  state(connected);
  return () => states.delete(state);
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    close();
    connected = false;
  } else if (watchers.size > 0) open();
});
