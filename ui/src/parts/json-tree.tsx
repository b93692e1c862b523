// JSON as a tree that folds, text only: nothing in it is ever HTML.

import { useState } from "preact/hooks";
import { toast } from "./toast";

/** Members of one value that are drawn before one asks for more. */
const SHOWN = 100;

export function JsonTree({ value, label, open = 2 }: { value: unknown; label: string; /** Levels that start open. */ open?: number }) {
  const copy = () => navigator.clipboard?.writeText(JSON.stringify(value, null, 2)).then(() => toast("copied"));
  return (
    <div class="json" role="group" aria-label={label}>
      <button type="button" class="quiet copy" onClick={copy}>
        Copy
      </button>
      <Value value={value} depth={open} />
    </div>
  );
}

function Value({ value, depth, name }: { value: unknown; depth: number; name?: string }) {
  const key = name === undefined ? null : <span class="json-key">{name}: </span>;
  if (value === null || typeof value !== "object") {
    return (
      <div class="json-line">
        {key}
        <Scalar value={value} />
      </div>
    );
  }
  const entries: [string, unknown][] = Array.isArray(value) ? value.map((one, i) => [String(i), one]) : Object.entries(value);
  const [left, right] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  if (entries.length === 0) {
    return (
      <div class="json-line">
        {key}
        {left}
        {right}
      </div>
    );
  }
  return <Branch head={key} brackets={[left, right]} entries={entries} depth={depth} />;
}

function Branch(props: { head: preact.ComponentChild; brackets: [string, string]; entries: [string, unknown][]; depth: number }) {
  const { head, brackets, entries, depth } = props;
  const [isOpen, setOpen] = useState(depth > 0);
  const [shown, setShown] = useState(SHOWN);
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {head}
        {brackets[0]}
        {!isOpen && (
          <span class="muted">
            {" "}
            {entries.length} {brackets[1]}
          </span>
        )}
      </summary>
      {isOpen && (
        <div class="json-members">
          {entries.slice(0, shown).map(([key, value]) => (
            <Value key={key} name={key} value={value} depth={depth - 1} />
          ))}
          {entries.length > shown && (
            <button type="button" class="quiet" onClick={() => setShown(shown * 10)}>
              {entries.length - shown} more
            </button>
          )}
        </div>
      )}
      {isOpen && brackets[1]}
    </details>
  );
}

function Scalar({ value }: { value: unknown }) {
  const kind = value === null ? "null" : typeof value;
  return <span class={`json-${kind}`}>{typeof value === "string" ? JSON.stringify(value) : String(value)}</span>;
}
