// Tells a chart that the page's colours changed: by the switch (an attribute of the root element) or by the system.

import { useEffect, useState } from "preact/hooks";

/** A number that changes whenever the theme may have. */
export function useTheme(): number {
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const again = () => setTurn((before) => before + 1);
    const system = matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", again);
    const root = new MutationObserver(again);
    root.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "class"] });
    return () => {
      system.removeEventListener("change", again);
      root.disconnect();
    };
  }, []);
  return turn;
}
