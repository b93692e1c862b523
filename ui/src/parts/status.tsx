// A status as a shape in its colour, with its word.

import { lookOf } from "../lib/status";

export function StatusIcon({ status, label }: { status: string; label?: string }) {
  const { tone, shape, word } = lookOf(status);
  const named = label === "" ? { "aria-hidden": true as const } : { role: "img" as const, "aria-label": label ?? word };
  return (
    <svg class={`icon tone-${tone} is-${status}`} viewBox="0 0 16 16" width="16" height="16" {...named}>
      <path d={shape} />
    </svg>
  );
}

export function Status({ status, reason }: { status: string; reason?: string | null | undefined }) {
  const { tone, word } = lookOf(status);
  return (
    <span class={`status tone-${tone}`} title={reason ?? undefined}>
      <StatusIcon status={status} label="" />
      {word}
    </span>
  );
}
