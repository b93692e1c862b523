// A form from a JSON Schema: one field a property, text as a person types it, and the value that it stands for or what is wrong with it.

import type { Schema } from "../api/types";

export type Kind = "text" | "number" | "integer" | "boolean" | "choice" | "date" | "json";

export interface Field {
  name: string;
  kind: Kind;
  required: boolean;
  schema: Schema;
  /** As typed. */
  initial: string;
}

export type Read = { ok: true; value: unknown } | { ok: false; message: string };

function typesOf(schema: Schema): string[] {
  return Array.isArray(schema.type) ? schema.type : schema.type ? [schema.type] : [];
}

function kindOf(schema: Schema): Kind {
  const types = typesOf(schema).filter((type) => type !== "null");
  if (schema.enum) return "choice";
  if (types.length === 1) {
    const [type] = types;
    if (type === "integer" || type === "number" || type === "boolean") return type;
    if (type === "string") return schema.format === "date" ? "date" : "text";
  }
  return "json";
}

/** Fields in the order of the schema; `values` (of an earlier run) go before defaults. */
export function fieldsOf(schema: Schema, values: Record<string, unknown> = {}): Field[] {
  return Object.entries(schema.properties ?? {}).map(([name, one]) => {
    const kind = kindOf(one);
    const start = name in values ? values[name] : one.default;
    return { name, kind, required: schema.required?.includes(name) ?? false, schema: one, initial: typed(start, kind) };
  });
}

/** A value as it would be typed. */
export function typed(value: unknown, kind: Kind): string {
  if (value === undefined || value === null) return "";
  return kind === "json" || typeof value === "object" ? JSON.stringify(value) : String(value);
}

const no = (message: string): Read => ({ ok: false, message });

/** What was typed, as a value. Nothing typed is "not given" (undefined) where that is allowed. */
export function read(field: Field, text: string): Read {
  const { kind, schema } = field;
  if (text === "" && kind !== "text") {
    return field.required && schema.default === undefined ? no("a value is needed") : { ok: true, value: undefined };
  }
  switch (kind) {
    case "integer":
    case "number":
      return readNumber(kind, schema, text.trim());
    case "boolean":
      return { ok: true, value: text === "true" };
    case "choice": {
      const value = schema.enum?.find((one) => typed(one, kind) === text);
      return value === undefined ? no(`one of ${schema.enum?.map(String).join(", ")}`) : { ok: true, value };
    }
    case "date":
      return isDate(text) ? { ok: true, value: text } : no("a date such as 2027-03-27");
    case "json":
      try {
        return { ok: true, value: JSON.parse(text) as unknown };
      } catch {
        return no('JSON, such as [1, 2] or {"a": true}');
      }
    case "text":
      return readText(field, text);
  }
}

function isDate(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function readNumber(kind: "integer" | "number", schema: Schema, text: string): Read {
  const value = Number(text);
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) || !Number.isFinite(value)) return no(kind === "integer" ? "a whole number" : "a number");
  if (kind === "integer" && !Number.isInteger(value)) return no("a whole number");
  if (kind === "integer" && !Number.isSafeInteger(value)) return no("too large for a browser to send exactly: use the command line");
  if (schema.minimum !== undefined && value < schema.minimum) return no(`at least ${schema.minimum}`);
  if (schema.maximum !== undefined && value > schema.maximum) return no(`at most ${schema.maximum}`);
  if (schema.exclusiveMinimum !== undefined && value <= schema.exclusiveMinimum) return no(`more than ${schema.exclusiveMinimum}`);
  if (schema.exclusiveMaximum !== undefined && value >= schema.exclusiveMaximum) return no(`less than ${schema.exclusiveMaximum}`);
  return { ok: true, value };
}

function readText(field: Field, text: string): Read {
  const { schema, required } = field;
  if (text === "" && field.initial === "" && !required) return { ok: true, value: undefined };
  if (text === "" && (required || schema.minLength)) return no("a value is needed");
  const size = [...text].length;
  if (schema.minLength !== undefined && size < schema.minLength) return no(`at least ${schema.minLength} characters`);
  if (schema.maxLength !== undefined && size > schema.maxLength) return no(`at most ${schema.maxLength} characters`);
  if (schema.pattern !== undefined && !matches(schema.pattern, text)) return no(`must match ${schema.pattern}`);
  return { ok: true, value: text };
}

/** A pattern that this browser does not understand is left to the server. */
function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return true;
  }
}

/** All values that differ from what the pipeline would take anyway, or the messages by field. */
export function readAll(fields: Field[], texts: Record<string, string>): { values: Record<string, unknown>; errors: Record<string, string> } {
  const values: Record<string, unknown> = {};
  const errors: Record<string, string> = {};
  for (const field of fields) {
    const result = read(field, texts[field.name] ?? field.initial);
    if (!result.ok) errors[field.name] = result.message;
    else if (result.value !== undefined && JSON.stringify(result.value) !== JSON.stringify(field.schema.default)) values[field.name] = result.value;
  }
  return { values, errors };
}

/** What a field accepts, for the line under it. */
export function accepts({ kind, schema, required }: Field): string {
  const words: string[] = [];
  if (kind === "integer") words.push("whole number");
  if (kind === "number") words.push("number");
  if (kind === "json") words.push("JSON");
  if (schema.minimum !== undefined && schema.maximum !== undefined) words.push(`${schema.minimum} to ${schema.maximum}`);
  else if (schema.minimum !== undefined) words.push(`at least ${schema.minimum}`);
  else if (schema.maximum !== undefined) words.push(`at most ${schema.maximum}`);
  if (schema.default !== undefined && schema.default !== null) words.push(`default ${typed(schema.default, kind)}`);
  else if (required) words.push("required");
  return words.join(", ");
}
