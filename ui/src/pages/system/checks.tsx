// What could be wrong with the workspace, as `recflow doctor` finds it: what is wrong first.

import type { Check } from "../../api/system";
import type { Page } from "../../api/types";
import { useResource } from "../../api/use";
import { plural } from "../../lib/format";
import { Loaded } from "../../parts/states";

const ORDER = ["error", "warning", "ok"];
const LOOKS = { ok: ["tone-good", "✓", "ok"], warning: ["tone-warn", "!", "warning"], error: ["tone-bad", "✕", "error"] } as const;

export function Checks() {
  const checks = useResource<Page<Check> | Check[]>("/system/doctor");
  return (
    <Loaded of={checks} rows={10}>
      {(found) => {
        const items = Array.isArray(found) ? found : found.items;
        const sorted = items.toSorted((a, b) => ORDER.indexOf(a.verdict) - ORDER.indexOf(b.verdict));
        const wrong = items.filter((one) => one.verdict !== "ok").length;
        return (
          <section class="card" aria-labelledby="checks">
            <header>
              <h2 id="checks">{wrong === 0 ? "Everything is as it should be" : `${plural(wrong, "finding")}`}</h2>
              <button type="button" onClick={checks.reload}>
                Look again
              </button>
            </header>
            <ul class="checks">
              {sorted.map((one) => (
                <Line key={one.name} check={one} />
              ))}
            </ul>
          </section>
        );
      }}
    </Loaded>
  );
}

function Line({ check }: { check: Check }) {
  const [tone, sign, word] = LOOKS[check.verdict];
  return (
    <li>
      <span class={`status ${tone}`}>
        <span aria-hidden="true">{sign}</span> {word}
      </span>
      <strong>{check.name}</strong>
      <div>
        <p>{check.found}</p>
        {check.remedy && <p class="hint">{check.remedy}</p>}
      </div>
    </li>
  );
}
