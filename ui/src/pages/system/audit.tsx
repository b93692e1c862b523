// Who did what, from where, and what came of it; the newest first.

import { useState } from "preact/hooks";
import { get, Problem, query } from "../../api/client";
import type { AuditEntry } from "../../api/system";
import type { Page } from "../../api/types";
import { useResource } from "../../api/use";
import { Empty, Loaded } from "../../parts/states";
import { Table } from "../../parts/table";
import { Time } from "../../parts/time";
import { toastProblem } from "../../parts/toast";
import { useQuery } from "../../router";

export function Audit() {
  const [user, setUser] = useQuery("user");
  const first = useResource<Page<AuditEntry>>(query("/audit", { user, limit: 100 }), () => true);
  return (
    <div class="stack">
      <label class="inline">
        <span class="muted">Of user</span>
        <input type="search" value={user} onInput={(event) => setUser(event.currentTarget.value.trim())} placeholder="anybody" />
      </label>
      <Loaded of={first} rows={10}>
        {(page) => (page.items.length === 0 ? <Empty title="Nothing was done yet" /> : <Entries key={user} first={page} user={user} />)}
      </Loaded>
    </div>
  );
}

function Entries({ first, user }: { first: Page<AuditEntry>; user: string }) {
  const [older, setOlder] = useState<AuditEntry[]>([]);
  const [next, setNext] = useState<string | null | undefined>(undefined);
  const cursor = next === undefined ? first.next_cursor : next;
  const more = () =>
    get<Page<AuditEntry>>(query("/audit", { user, limit: 100, cursor })).then(
      (page) => {
        setOlder((before) => [...before, ...page.items]);
        setNext(page.next_cursor);
      },
      (error: Problem) => toastProblem(error),
    );
  const rows = [...first.items, ...older.filter((one) => !first.items.some((known) => known.seq === one.seq))];
  return (
    <section class="card" aria-label="Audit">
      <Table
        caption="What was done"
        rows={rows}
        rowKey={(one) => one.seq}
        columns={[
          { name: "When", by: (one) => one.at, cell: (one) => <Time at={one.at} as="full" /> },
          { name: "Who", by: (one) => one.user, cell: (one) => one.user || <span class="muted">nobody</span> },
          { name: "By", by: (one) => one.via, cell: (one) => one.via, minor: true },
          { name: "What", by: (one) => one.action, cell: (one) => <code>{one.action}</code> },
          { name: "Of what", by: (one) => one.object, cell: (one) => <span class="breaks">{one.object || "–"}</span> },
          { name: "Detail", cell: (one) => <span class="breaks muted">{one.detail}</span>, minor: true },
          { name: "From", by: (one) => one.address, cell: (one) => <span class="num">{one.address || "–"}</span>, minor: true },
          { name: "Outcome", by: (one) => one.outcome, cell: (one) => <Outcome of={one.outcome} /> },
        ]}
      />
      {cursor && (
        <p class="body">
          <button type="button" onClick={more}>
            Older
          </button>
        </p>
      )}
    </section>
  );
}

function Outcome({ of }: { of: string }) {
  const isGood = of === "done";
  return (
    <span class={`status ${isGood ? "tone-good" : "tone-bad"}`}>
      <span aria-hidden="true">{isGood ? "✓" : "✕"}</span> {of}
    </span>
  );
}
