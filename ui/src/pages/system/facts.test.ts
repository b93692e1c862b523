import { describe, expect, it } from "vitest";
import { expiry, listed, wrongWith } from "./facts";

describe("an object as facts", () => {
  it("says sizes and durations by the ending of their name, and leaves out what is not there", () => {
    expect(listed({ store_bytes: 2048, keep_seconds: 90, runs: 12345, none: null })).toEqual([["Store", "2.0 KiB"], ["Keep", "1m 30s"], ["Runs", "12,345"]]);
  });
  it("names what lies deeper by its path", () => {
    expect(listed({ logs: { keep: "30 days", max_bytes: 1048576 } })).toEqual([["Logs, keep", "30 days"], ["Logs, max", "1.0 MiB"]]);
  });
  it("is nothing for what is no object", () => {
    expect([listed(null), listed("text"), listed(7)]).toEqual([[], [], []]);
  });
});

it("a password is long and typed twice alike", () => {
  expect(wrongWith("short", "short")).toBe("at least 12 characters");
  expect(wrongWith("correct horse", "correct house")).toBe("the two are not the same");
  expect(wrongWith("correct horse", "correct horse")).toBeNull();
});

it("a token ends so many days from now, or never", () => {
  expect(expiry(30, new Date("2027-01-01T00:00:00Z"))).toBe("2027-01-31T00:00:00.000Z");
  expect(expiry(0, new Date())).toBeNull();
});
