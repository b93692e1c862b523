// Short messages about what was just done. They are read out, and stay long enough to be read.

import { useEffect, useState } from "preact/hooks";
import { Problem } from "../api/client";

interface Note {
  id: number;
  kind: "good" | "bad";
  text: string;
  hint: string | null;
}

let notes: Note[] = [];
let next = 0;
let show: (notes: Note[]) => void = () => {};

function add(note: Omit<Note, "id">): void {
  const id = next++;
  notes = [...notes.slice(-3), { ...note, id }];
  show(notes);
  setTimeout(() => dismiss(id), note.kind === "bad" ? 12_000 : 5000);
}

function dismiss(id: number): void {
  notes = notes.filter((note) => note.id !== id);
  show(notes);
}

/** Says that something was done. */
export function toast(text: string): void {
  add({ kind: "good", text, hint: null });
}

/** Says that something could not be done, and why. */
export function toastProblem(error: unknown): void {
  const problem = error instanceof Problem ? error : null;
  add({ kind: "bad", text: problem?.message ?? String(error), hint: problem?.hint ?? null });
}

export function Toasts() {
  const [shown, setShown] = useState<Note[]>(notes);
  useEffect(() => {
    show = setShown;
    return () => void (show = () => {});
  }, []);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.map((note) => (
        <div key={note.id} class={`toast tone-${note.kind}`}>
          <div>
            {note.text}
            {note.hint && <div class="hint">{note.hint}</div>}
          </div>
          <button type="button" class="quiet" aria-label="dismiss" onClick={() => dismiss(note.id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
