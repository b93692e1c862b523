// Instants and durations.

import { both, full, relative, short, useNow, useZone } from "../lib/time";
import { duration } from "../lib/format";

/** An instant in the chosen zone, with both clocks in its tooltip. `as`: short (default), full, or relative (which goes on by itself). */
export function Time({ at, as = "short" }: { at: string | null | undefined; as?: "short" | "full" | "relative" }) {
  const zone = useZone();
  const now = useNow(as === "relative" ? 15_000 : null);
  if (!at) return <span class="muted">–</span>;
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return <span>{at}</span>;
  const text = as === "full" ? full(date, zone) : as === "relative" ? relative(date, now) : short(date, now, zone);
  return (
    <time dateTime={at} title={both(date)} class="num">
      {text}
    </time>
  );
}

/** A duration; of something under way, it grows: from `since` to now. */
export function Duration({ seconds, since }: { seconds?: number | null | undefined; since?: string | null | undefined }) {
  return since ? <Growing since={since} /> : <span class="num">{duration(seconds)}</span>;
}

function Growing({ since }: { since: string }) {
  const now = useNow(1000);
  return <span class="num">{duration(Math.max(0, Math.floor((now.getTime() - Date.parse(since)) / 1000)))}</span>;
}
