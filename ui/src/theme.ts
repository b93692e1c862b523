// Light, dark, or as the system says. `data-theme` on the root decides; the style sheets hold both.

export type Theme = "system" | "light" | "dark";

const KEY = "recflow.theme";
const ORDER: Theme[] = ["system", "light", "dark"];

/** What this browser was told last. Storage may be closed to us: then it is the system's. */
export function theme(): Theme {
  try {
    const stored = localStorage.getItem(KEY);
    return ORDER.find((one) => one === stored) ?? "system";
  } catch {
    return "system";
  }
}

export function applyTheme(choice: Theme): void {
  const root = document.documentElement;
  if (choice === "system") delete root.dataset.theme;
  else root.dataset.theme = choice;
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    // It holds for this page alone.
  }
  document.dispatchEvent(new Event("themechange"));
}

export function nextTheme(choice: Theme): Theme {
  return ORDER[(ORDER.indexOf(choice) + 1) % ORDER.length] ?? "system";
}
