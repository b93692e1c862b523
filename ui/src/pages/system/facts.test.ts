import { expect, it } from "vitest";
import { days, wrongWith } from "./facts";

it("what is kept is told in days where it is at least one", () => {
  expect([days(90 * 86_400), days(86_400), days(5400)]).toEqual(["90 days", "1 day", "1h 30m"]);
});

it("a password is long and typed twice alike", () => {
  expect(wrongWith("short", "short")).toBe("at least 10 characters");
  expect(wrongWith("correct horse", "correct house")).toBe("the two are not the same");
  expect(wrongWith("correct horse", "correct horse")).toBeNull();
});
