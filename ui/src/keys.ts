// Keys that work on a whole page. Each page says what it answers to; `?` lists them.

import { useEffect, useRef } from "preact/hooks";

export interface Binding {
  /** As `KeyboardEvent.key` has it. */
  key: string;
  /** What it does, for the list. */
  does: string;
  run: (event: KeyboardEvent) => void;
}

const active: Binding[][] = [];

/** Whether what has the focus wants the keys for itself. */
function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

document.addEventListener("keydown", (event) => {
  if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  for (const binding of active.toReversed().flat()) {
    if (binding.key !== event.key) continue;
    event.preventDefault();
    binding.run(event);
    return;
  }
});

/** Answers to keys while the component is there; the newest component that knows a key has it. */
export function useKeys(bindings: Binding[]): void {
  const latest = useRef(bindings);
  latest.current = bindings;
  const names = bindings.map((binding) => binding.key).join(" ");
  useEffect(() => {
    const mine = latest.current.map(({ key, does }) => ({
      key,
      does,
      run: (event: KeyboardEvent) => latest.current.find((binding) => binding.key === key)?.run(event),
    }));
    active.push(mine);
    return () => void active.splice(active.indexOf(mine), 1);
  }, [names]);
}

/** All keys that work now. */
export function boundKeys(): Binding[] {
  return active.flat();
}
