import { describe, expect, it } from "vitest";
import { tokens } from "./yaml";

describe("yaml", () => {
  it("is coloured without losing a character", () => {
    const line = '  - rank: "{{ params.rank }}" # a: b';
    expect(tokens(line).map((token) => token.text).join("")).toBe(line);
    expect(tokens(line).map((token) => token.kind)).toEqual(["plain", "key", "plain", "string", "plain", "comment"]);
    expect(tokens("x: {{ a }}#b").map((token) => token.kind)).toEqual(["key", "plain", "template", "plain"]);
  });
});
