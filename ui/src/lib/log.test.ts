import { describe, expect, it } from "vitest";
import { LogText, cutAtMatches, filter } from "./log";

const ESC = "\u001b";

describe("log", () => {
  it("reads lines wherever the stream was cut", () => {
    const whole = '{"t":"2026-11-23T14:00:00Z","level":"warn","stream":"stage","line":"a\\u001b[31m"}\nraw text\n';
    for (let at = 0; at <= whole.length; at++) {
      const log = new LogText();
      log.push(whole.slice(0, at));
      log.push(whole.slice(at), true);
      expect(log.lines.map(({ number, level, text }) => [number, level, text])).toEqual([[1, "warn", `a${ESC}[31m`], [2, "info", "raw text"]]);
    }
  });
  it("keeps half a line back until its end, or until nothing follows", () => {
    const log = new LogText();
    log.push("one\ntw");
    expect(log.lines.map((line) => line.text)).toEqual(["one"]);
    log.push("", true);
    expect(log.lines.map((line) => line.text)).toEqual(["one", "tw"]);
  });
  it("filters by level and words, whatever the colours between them", () => {
    const log = new LogText();
    log.push(`${ESC}[31mfa${ESC}[0miled\nfine\n`);
    expect(filter(log.lines, "info", "FAILED", true).map((line) => line.number)).toEqual([1]);
    expect(filter(log.lines, "warn", "", false)).toEqual([]);
  });
  it("cuts at matches and loses nothing", () => {
    expect(cutAtMatches("a Foo foo", "foo")).toEqual(["a ", "Foo", " ", "foo", ""]);
    expect(cutAtMatches("İx", "x").join("")).toBe("İx");
  });
});
