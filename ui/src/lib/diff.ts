// What changed between two texts, line by line (Myers, "An O(ND) difference algorithm", 1986).

export interface DiffLine {
  kind: "same" | "removed" | "added";
  text: string;
  /** Line numbers from 1; null where the line is not in that text. */
  old: number | null;
  new: number | null;
}

/** More edits than that are not looked for: then everything was removed and everything added. */
const EDITS_MAX = 2000;

export function diff(before: string, after: string): DiffLine[] {
  const a = before.split("\n");
  const b = after.split("\n");
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  const same = () => lines.push({ kind: "same", text: a[i] ?? "", old: ++i, new: ++j });
  while (i < head) same();
  for (const step of edits(a.slice(head, a.length - tail), b.slice(head, b.length - tail))) {
    if (step === "same") same();
    else if (step === "removed") lines.push({ kind: step, text: a[i] ?? "", old: ++i, new: null });
    else lines.push({ kind: step, text: b[j] ?? "", old: null, new: ++j });
  }
  while (i < a.length) same();
  return lines;
}

/** The steps from `a` to `b`. `furthest[k]` is how far down diagonal k (old − new) a path of d edits gets. */
function edits(a: string[], b: string[]): DiffLine["kind"][] {
  const max = Math.min(a.length + b.length, EDITS_MAX);
  let furthest = new Map<number, number>([[1, 0]]);
  const trace: Map<number, number>[] = [];
  for (let d = 0; d <= max; d++) {
    trace.push(new Map(furthest));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (furthest.get(k - 1) ?? -1) < (furthest.get(k + 1) ?? -1));
      let x = down ? (furthest.get(k + 1) ?? 0) : (furthest.get(k - 1) ?? 0) + 1;
      let y = x - k;
      while (x < a.length && y < b.length && a[x] === b[y]) {
        x++;
        y++;
      }
      furthest.set(k, x);
      if (x >= a.length && y >= b.length) return backtrack(trace, a.length, b.length);
    }
  }
  return [...a.map((): DiffLine["kind"] => "removed"), ...b.map((): DiffLine["kind"] => "added")];
}

function backtrack(trace: Map<number, number>[], x: number, y: number): DiffLine["kind"][] {
  const steps: DiffLine["kind"][] = [];
  for (let d = trace.length - 1; d >= 0; d--) {
    const furthest = trace[d] as Map<number, number>;
    const k = x - y;
    const down = k === -d || (k !== d && (furthest.get(k - 1) ?? -1) < (furthest.get(k + 1) ?? -1));
    const beforeK = down ? k + 1 : k - 1;
    const beforeX = furthest.get(beforeK) ?? 0;
    const beforeY = beforeX - beforeK;
    while (x > beforeX && y > beforeY && x > 0 && y > 0) {
      steps.push("same");
      x--;
      y--;
    }
    if (d > 0) steps.push(down ? "added" : "removed");
    x = beforeX;
    y = beforeY;
  }
  return steps.reverse();
}

/** Changed lines with `context` lines around them, in groups; an unchanged text has none. */
export function hunks(lines: DiffLine[], context = 3): DiffLine[][] {
  const groups: DiffLine[][] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const [i, line] of lines.entries()) {
    const near = lines.slice(Math.max(0, i - context), i + context + 1).some((one) => one.kind !== "same");
    if (!near) continue;
    if (i !== last + 1) groups.push([]);
    groups.at(-1)?.push(line);
    last = i;
  }
  return groups;
}
