// Colours of terminals (ECMA-48 SGR) as pieces of text with class names. The result is text and a fixed set of names, so nothing that a program
// prints can become markup, and nothing but colours and weights has an effect.

export interface Piece {
  text: string;
  /** Space-separated, of `a-bold a-dim a-italic a-underline a-strike a-fg0 … a-fg15 a-bg0 … a-bg15`; empty for plain text. */
  names: string;
}

interface Style {
  fg: number | null;
  bg: number | null;
  flags: Set<string>;
}

/** Control sequences: CSI, OSC and other strings up to their end, two-character escapes. */
// eslint-disable-next-line no-control-regex
const ESCAPE = /\u001b\[([0-9;:<=>?]*)[ -/]*([@-~])|\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-~]?|\u009b[0-9;]*[@-~]/g;
/** Other control characters, but for the tab. */
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Cuts one line into pieces. A carriage return starts the line anew, as a progress bar means it. */
export function pieces(line: string): Piece[] {
  const text = afterReturn(line);
  const found: Piece[] = [];
  const style: Style = { fg: null, bg: null, flags: new Set() };
  let from = 0;
  const take = (to: number) => {
    const plain = text.slice(from, to).replace(CONTROL, "");
    if (plain !== "") found.push({ text: plain, names: namesOf(style) });
  };
  for (const escape of text.matchAll(ESCAPE)) {
    take(escape.index);
    from = escape.index + escape[0].length;
    if (escape[2] === "m") apply(style, escape[1] ?? "");
  }
  take(text.length);
  return found;
}

/** The text alone, without colours: what is searched. */
export function plain(line: string): string {
  return afterReturn(line).replace(ESCAPE, "").replace(CONTROL, "");
}

function afterReturn(line: string): string {
  const text = line.replace(/\r+$/, "");
  return text.slice(text.lastIndexOf("\r") + 1);
}

const SET: Record<number, string> = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "strike" };
const UNSET: Record<number, string[]> = { 22: ["bold", "dim"], 23: ["italic"], 24: ["underline"], 27: ["inverse"], 29: ["strike"] };

function apply(style: Style, parameters: string): void {
  const codes = parameters.split(/[;:]/).map((code) => (code === "" ? 0 : Number(code)));
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] ?? 0;
    if (code === 0) {
      style.fg = style.bg = null;
      style.flags.clear();
    } else if (SET[code]) style.flags.add(SET[code]);
    else if (UNSET[code]) for (const flag of UNSET[code]) style.flags.delete(flag);
    else if (code >= 30 && code <= 37) style.fg = code - 30;
    else if (code >= 90 && code <= 97) style.fg = code - 90 + 8;
    else if (code === 39) style.fg = null;
    else if (code >= 40 && code <= 47) style.bg = code - 40;
    else if (code >= 100 && code <= 107) style.bg = code - 100 + 8;
    else if (code === 49) style.bg = null;
    else if (code === 38 || code === 48) {
      const [colour, used] = extended(codes.slice(i + 1));
      style[code === 38 ? "fg" : "bg"] = colour;
      i += used;
    }
  }
}

/** `5;N` and `2;R;G;B`, as the nearest of the sixteen that both themes know; and how many codes that took. */
function extended(codes: number[]): [number | null, number] {
  const [kind, a = 0, b = 0, c = 0] = codes;
  if (kind === 5) return [a < 16 ? a : a < 232 ? nearest(cube(a - 16)) : nearest([grey(a), grey(a), grey(a)]), 2];
  if (kind === 2) return [nearest([a, b, c]), 4];
  return [null, codes.length];
}

type Rgb = [number, number, number];

const grey = (code: number) => 8 + (code - 232) * 10;

function cube(index: number): Rgb {
  const level = (value: number) => (value === 0 ? 0 : 55 + value * 40);
  return [level(Math.floor(index / 36)), level(Math.floor(index / 6) % 6), level(index % 6)];
}

const SIXTEEN: Rgb[] = [
  [0, 0, 0], [205, 0, 0], [0, 205, 0], [205, 205, 0], [0, 0, 238], [205, 0, 205], [0, 205, 205], [229, 229, 229],
  [127, 127, 127], [255, 0, 0], [0, 255, 0], [255, 255, 0], [92, 92, 255], [255, 0, 255], [0, 255, 255], [255, 255, 255],
];

function nearest([r, g, b]: Rgb): number {
  const distances = SIXTEEN.map(([x, y, z]) => (x - r) ** 2 + (y - g) ** 2 + (z - b) ** 2);
  return distances.indexOf(Math.min(...distances));
}

function namesOf({ fg, bg, flags }: Style): string {
  const inverse = flags.has("inverse");
  const front = inverse ? (bg ?? 0) : fg;
  const back = inverse ? (fg ?? 7) : bg;
  const names = [...flags].filter((flag) => flag !== "inverse").map((flag) => `a-${flag}`);
  if (front !== null) names.push(`a-fg${front}`);
  if (back !== null) names.push(`a-bg${back}`);
  return names.join(" ");
}
