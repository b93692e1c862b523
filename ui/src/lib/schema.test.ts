import { describe, expect, it } from "vitest";
import type { Schema } from "../api/types";
import { fieldsOf, read, readAll } from "./schema";

describe("a form from a schema", () => {
  const schema: Schema = {
    properties: {
      rank: { type: "integer", default: 16, minimum: 1, maximum: 1024 },
      reg: { type: "number", minimum: 0 },
      mode: { enum: ["a", "b"], default: "a" },
      day: { type: "string", format: "date" },
      name: { type: "string", pattern: "^[a-z]+$" },
      full: { type: ["boolean", "null"] },
      many: { type: "array" },
    },
    required: ["name"],
  };
  const fields = fieldsOf(schema);
  const say = (name: string, text: string) => {
    const field = fields.find((one) => one.name === name);
    if (!field) throw new Error(name);
    const result = read(field, text);
    return result.ok ? result.value : result.message;
  };
  it("knows each kind, in the schema's order", () => {
    expect(fields.map((field) => field.kind)).toEqual(["integer", "number", "choice", "date", "text", "boolean", "json"]);
  });
  it("says what is wrong with what was typed", () => {
    expect(say("rank", "1.5")).toBe("a whole number");
    expect(say("rank", "0")).toBe("at least 1");
    expect(say("rank", "1025")).toBe("at most 1024");
    expect(say("rank", "0x10")).toBe("a whole number");
    expect(say("rank", "99999999999999999")).toMatch(/^too large|^at most/);
    expect(say("reg", "-1e-9")).toBe("at least 0");
    expect(say("day", "2027-02-30")).toMatch(/^a date/);
    expect(say("name", "A")).toBe("must match ^[a-z]+$");
    expect(say("name", "")).toBe("a value is needed");
    expect(say("many", "[1,")).toMatch(/^JSON/);
  });
  it("sends what differs from the defaults, and nothing that was not given", () => {
    expect(readAll(fields, { name: "x", rank: "16", mode: "b", full: "false" })).toEqual({ values: { name: "x", mode: "b", full: false }, errors: {} });
  });
});
