// The browser's own modal dialog: focus stays inside, Escape closes it, what is behind is inert.

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { Problem } from "../api/client";
import { ProblemBox } from "./states";
import { toastProblem } from "./toast";

export function Dialog({ title, onClose, wide, children }: { title: string; onClose: () => void; wide?: boolean; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    dialog.current?.showModal();
    return () => dialog.current?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class={wide ? "wide" : undefined}
      aria-labelledby={id}
      onClose={onClose}
      onMouseDown={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <div class="dialog-body">
        <header>
          <h2 id={id}>{title}</h2>
          <button type="button" class="quiet" aria-label="close" onClick={onClose}>
            ×
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

/** Asks before something is done that cannot be undone by a click. `act` may fail: the dialog then shows why and stays. */
export function Confirm(props: { title: string; verb: string; danger?: boolean; onClose: () => void; act: () => Promise<unknown>; children?: ComponentChildren }) {
  const { title, verb, danger, onClose, act, children } = props;
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const go = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await act();
      onClose();
    } catch (error) {
      setBusy(false);
      if (error instanceof Error && "hint" in error) setProblem(error as Problem);
      else toastProblem(error);
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={go}>
        {children}
        {problem && <ProblemBox problem={problem} />}
        <footer>
          <button type="button" onClick={onClose}>
            Back
          </button>
          <button type="submit" class={danger ? "danger" : "primary"} disabled={busy}>
            {verb}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
