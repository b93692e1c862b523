// Statuses of runs, tasks, attempts and slots: the word for people, a tone (colour) and a shape, since colour alone tells nothing to many.

export type Tone = "good" | "bad" | "active" | "warn" | "quiet";

export interface Look {
  word: string;
  tone: Tone;
  /** Inside of a 16×16 SVG: strokes in the current colour. */
  shape: string;
}

const RING = "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11z";
const look = (word: string, tone: Tone, shape: string): Look => ({ word, tone, shape });

const LOOKS: Record<string, Look> = {
  succeeded: look("succeeded", "good", "M3.2 8.6l3.2 3.2l6.4-7.4"),
  failed: look("failed", "bad", "M4 4l8 8M12 4l-8 8"),
  running: look("running", "active", "M5.5 3.5l7 4.5l-7 4.5z"),
  queued: look("queued", "quiet", `${RING}M8 5v3.2l2.2 1.4`),
  waiting: look("waiting", "quiet", RING),
  retrying: look("waits to retry", "warn", "M12.8 8a4.8 4.8 0 1 1-1.5-3.5M12.9 2.4v2.9h-2.9"),
  deferred: look("deferred", "quiet", "M5.5 4v8M10.5 4v8"),
  skipped: look("skipped", "quiet", "M3 4l4 4l-4 4M8.5 4l4 4l-4 4"),
  upstream_failed: look("upstream failed", "warn", `${RING}M4.2 4.2l7.6 7.6`),
  cancelled: look("cancelled", "warn", "M4 4h8v8h-8z"),
  interrupted: look("interrupted", "warn", "M9 2l-4.5 6.5h3.5l-1 5.5l4.5-6.8h-3.6z"),
  timed_out: look("timed out", "bad", "M4.5 2.5h7M4.5 13.5h7M5 2.5c0 4 6 7 6 11M11 2.5c0 4-6 7-6 11"),
  lost: look("lost", "warn", "M5.6 6a2.4 2.4 0 1 1 3.4 2.2c-.8.4-1 .8-1 1.6M8 12.4v.2"),
  deleted: look("deleted", "quiet", "M4 8h8"),
  paused: look("paused", "warn", "M5.5 4v8M10.5 4v8"),
};

/** How a status looks; one that these pages do not know yet shows as it is. */
export function lookOf(status: string): Look {
  return LOOKS[status] ?? look(status.replaceAll("_", " "), "quiet", RING);
}

/** Whether what has this status is over. */
export function isOver(status: string): boolean {
  return !["queued", "running", "waiting", "retrying", "deferred"].includes(status);
}

/** Statuses that a person may want to look at. */
export function needsAttention(status: string): boolean {
  return ["failed", "interrupted", "cancelled", "timed_out"].includes(status);
}
