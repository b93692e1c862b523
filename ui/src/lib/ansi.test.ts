import { describe, expect, it } from "vitest";
import { pieces, plain } from "./ansi";

const ESC = "\u001b";

describe("ansi", () => {
  it("turns colours into names and forgets them at a reset", () => {
    expect(pieces(`a ${ESC}[1;31mred${ESC}[0m b`)).toEqual([
      { text: "a ", names: "" },
      { text: "red", names: "a-bold a-fg1" },
      { text: " b", names: "" },
    ]);
  });
  it("maps 256 and true colours to the nearest of sixteen", () => {
    expect(pieces(`${ESC}[38;5;196mx`)[0]?.names).toBe("a-fg9");
    expect(pieces(`${ESC}[48;2;0;200;0mx`)[0]?.names).toBe("a-bg2");
    expect(pieces(`${ESC}[38;5;240;1mx`)[0]?.names).toBe("a-bold a-fg8");
  });
  it("drops every other sequence: titles, links, cursor moves, control characters", () => {
    const line = `${ESC}]0;title\u0007${ESC}]8;;http://evil${ESC}\\link${ESC}]8;;${ESC}\\${ESC}[2K${ESC}[1;1H\u0000\b!`;
    expect(plain(line)).toBe("link!");
    expect(pieces(line).map((piece) => piece.text).join("")).toBe("link!");
  });
  it("shows what stands behind the last carriage return", () => {
    expect(plain("10 %\r50 %\r100 %\r")).toBe("100 %");
  });
  it("keeps markup as text", () => {
    expect(pieces("<img src=x onerror=alert(1)>")).toEqual([{ text: "<img src=x onerror=alert(1)>", names: "" }]);
  });
});
