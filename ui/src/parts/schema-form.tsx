// Fields for parameters, from their JSON Schema. What is wrong shows beside its field once one has left it, and all of it on sending.

import { useId, useState } from "preact/hooks";
import type { Schema } from "../api/types";
import { type Field, accepts, fieldsOf, read, readAll, typed } from "../lib/schema";

export interface Form {
  fields: Field[];
  texts: Record<string, string>;
  errors: Record<string, string>;
  set: (name: string, text: string) => void;
  leave: (field: Field) => void;
  /** All values, or null after showing what is wrong. */
  read: () => Record<string, unknown> | null;
}

export function useSchemaForm(schema: Schema, values?: Record<string, unknown>): Form {
  const [fields] = useState(() => fieldsOf(schema, values));
  const [texts, setTexts] = useState<Record<string, string>>(() => Object.fromEntries(fields.map((field) => [field.name, field.initial])));
  const [errors, setErrors] = useState<Record<string, string>>({});
  const told = (name: string, message: string | null) =>
    setErrors((before) => {
      const { [name]: _, ...others } = before;
      return message === null ? others : { ...others, [name]: message };
    });
  return {
    fields,
    texts,
    errors,
    set: (name, text) => {
      setTexts((before) => ({ ...before, [name]: text }));
      told(name, null);
    },
    leave: (field) => {
      const result = read(field, texts[field.name] ?? "");
      told(field.name, result.ok ? null : result.message);
    },
    read: () => {
      const result = readAll(fields, texts);
      setErrors(result.errors);
      return Object.keys(result.errors).length === 0 ? result.values : null;
    },
  };
}

export function SchemaFields({ form }: { form: Form }) {
  if (form.fields.length === 0) return <p class="muted">This pipeline has no parameters.</p>;
  return (
    <div class="fields">
      {form.fields.map((field) => (
        <FieldRow key={field.name} field={field} form={form} />
      ))}
    </div>
  );
}

function FieldRow({ field, form }: { field: Field; form: Form }) {
  const id = useId();
  const error = form.errors[field.name];
  const about = accepts(field);
  return (
    <div class="field">
      <label for={id}>{field.name}</label>
      <Control id={id} field={field} form={form} describedBy={`${id}-about`} />
      <div id={`${id}-about`} class="field-about">
        {error && (
          <p class="field-error" role="alert">
            {error}
          </p>
        )}
        <p class="muted">
          {field.schema.description}
          {field.schema.description && about ? " · " : ""}
          {about}
        </p>
      </div>
    </div>
  );
}

function Control({ id, field, form, describedBy }: { id: string; field: Field; form: Form; describedBy: string }) {
  const text = form.texts[field.name] ?? "";
  const common = {
    id,
    name: field.name,
    "aria-describedby": describedBy,
    "aria-invalid": field.name in form.errors ? (true as const) : undefined,
    onBlur: () => form.leave(field),
  };
  const set = (event: { currentTarget: { value: string } }) => form.set(field.name, event.currentTarget.value);
  if (field.kind === "choice" || field.kind === "boolean") {
    const options = field.kind === "boolean" ? ["true", "false"] : (field.schema.enum ?? []).map((one) => typed(one, field.kind));
    return (
      <select {...common} value={text} onChange={set}>
        {(field.schema.default === undefined || field.schema.default === null) && <option value="">not given</option>}
        {options.map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
    );
  }
  if (field.kind === "json") return <textarea {...common} class="mono" rows={3} value={text} onInput={set} />;
  if (field.kind === "date") return <input {...common} type="date" value={text} onInput={set} />;
  const numeric = field.kind === "integer" || field.kind === "number";
  const mode = field.kind === "integer" ? "numeric" : numeric ? "decimal" : "text";
  return <input {...common} type="text" inputMode={mode} autocomplete="off" spellcheck={false} class={numeric ? "num" : ""} value={text} onInput={set} />;
}
