import { describe, expect, it } from "vitest";
import { destination, linkToken, refusal } from "./answer";

describe("where one goes after signing in", () => {
  it("is a path of this server", () => {
    expect(destination("?next=%2Fruns%2Fabc%3Fview%3Dgantt")).toBe("/runs/abc?view=gantt");
    expect(destination("")).toBe("/");
  });
  it("is never another host or a script", () => {
    for (const next of ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/\t/evil.example", "runs"]) {
      expect(destination(`?next=${encodeURIComponent(next)}`), next).toBe("/");
    }
  });
});

describe("a one-time link", () => {
  it("carries its token behind the hash, named or alone", () => {
    expect([linkToken("#link=abc_-1"), linkToken("#abc"), linkToken("#link=a%2Bb")]).toEqual(["abc_-1", "abc", "a+b"]);
  });
  it("is none without a token, or with a damaged one", () => {
    expect([linkToken(""), linkToken("#"), linkToken("#link="), linkToken("#other=1"), linkToken("#%zz")]).toEqual([null, null, null, null, null]);
  });
});

describe("a refusal", () => {
  it("does not tell whether the user or the password was wrong", () => {
    expect(refusal(401, { detail: "no such user" }, null, false).text).toBe("That user and password do not go together.");
  });
  it("says that a link is spent", () => {
    expect(refusal(401, {}, null, true).text).toMatch(/used, or is too old/);
  });
  it("says how long to wait, within reason", () => {
    expect([refusal(429, {}, "17", false).wait, refusal(429, {}, null, false).wait, refusal(429, {}, "999999", false).wait]).toEqual([17, 30, 3600]);
  });
  it("repeats what the server says of anything else", () => {
    expect(refusal(503, { detail: "the store is busy" }, null, false)).toEqual({ text: "the store is busy", wait: 0 });
    expect(refusal(500, null, null, false).text).toBe("The server answered 500.");
  });
});
