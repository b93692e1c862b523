// Logs of attempts: each line is a JSON object of recflow's; a line that is not is shown as it is.

import { plain } from "./ansi";

export const LEVELS = ["debug", "info", "warn", "error"] as const;
export type Level = (typeof LEVELS)[number];

export interface LogLine {
  /** From 1. */
  number: number;
  /** RFC 3339; null for a line that is not recflow's. */
  t: string | null;
  level: Level;
  /** `stage`, `stdout`, `stderr` or `engine`. */
  stream: string;
  text: string;
}

function parse(raw: string, number: number): LogLine {
  if (raw.startsWith("{")) {
    try {
      const { t, level, stream, line } = JSON.parse(raw) as Record<string, unknown>;
      if (typeof line === "string") {
        const known = LEVELS.find((one) => one === level) ?? "info";
        return { number, t: typeof t === "string" ? t : null, level: known, stream: typeof stream === "string" ? stream : "", text: line };
      }
    } catch {
      // Half a line, or somebody's own JSON.
    }
  }
  return { number, t: null, level: "info", stream: "", text: raw };
}

/** Collects text as it comes, cut anywhere, into lines. */
export class LogText {
  readonly lines: LogLine[] = [];
  private rest = "";

  /** Takes what follows; `last` says that nothing comes behind it. */
  push(chunk: string, last = false): void {
    const parts = (this.rest + chunk).split("\n");
    this.rest = last ? "" : (parts.pop() ?? "");
    for (const part of parts) if (part !== "") this.lines.push(parse(part, this.lines.length + 1));
  }
}

/** Lines of at least a level; if only matches are wanted, those that hold the words. */
export function filter(lines: readonly LogLine[], least: Level, words: string, onlyMatches: boolean): LogLine[] {
  const from = LEVELS.indexOf(least);
  return lines.filter((line) => LEVELS.indexOf(line.level) >= from && (!onlyMatches || words === "" || finds(line.text, words)));
}

/** Whether a line holds the words; capitals do not matter. */
export function finds(text: string, words: string): boolean {
  return plain(text).toLowerCase().includes(words.toLowerCase());
}

/** Text in alternating pieces: outside a match, inside one, outside … */
export function cutAtMatches(text: string, words: string): string[] {
  if (words === "") return [text];
  const low = text.toLowerCase();
  const wanted = words.toLowerCase();
  // A letter that grows when its case changes would shift every place behind it.
  if (low.length !== text.length) return [text];
  const cut: string[] = [];
  let from = 0;
  for (let at = low.indexOf(wanted); at >= 0; at = low.indexOf(wanted, from)) {
    cut.push(text.slice(from, at), text.slice(at, at + wanted.length));
    from = at + wanted.length;
  }
  return [...cut, text.slice(from)];
}
