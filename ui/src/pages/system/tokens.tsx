// API tokens: what programs sign in with. A token's secret is shown once, when it is made.

import { useState } from "preact/hooks";
import { post, remove } from "../../api/client";
import type { Token } from "../../api/system";
import type { Page, Role } from "../../api/types";
import { useResource } from "../../api/use";
import { Confirm, Dialog } from "../../parts/dialog";
import { Loaded } from "../../parts/states";
import { Table } from "../../parts/table";
import { Time } from "../../parts/time";
import { toast } from "../../parts/toast";
import { useMay } from "../../session";

const SCOPES: [string, Role, string][] = [
  ["metrics", "viewer", "reads /metrics alone"],
  ["viewer", "viewer", "sees everything"],
  ["operator", "operator", "also starts, stops, pauses, promotes"],
  ["admin", "admin", "also users, audit, upkeep"],
];

export function Tokens() {
  const tokens = useResource<Page<Token>>("/tokens");
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<string | null>(null);
  const [revoking, setRevoking] = useState<Token | null>(null);
  const isAdmin = useMay("admin");
  return (
    <section class="card" aria-labelledby="tokens">
      <header>
        <h2 id="tokens">{isAdmin ? "API tokens" : "Your API tokens"}</h2>
        <button type="button" onClick={() => setMaking(true)}>
          New token
        </button>
      </header>
      <Loaded of={tokens} rows={3}>
        {({ items }) =>
          items.length === 0 ? (
            <p class="body muted">None. A program signs in with one: “authorization: Bearer rf_…”.</p>
          ) : (
            <Table
              caption="Tokens, what they may and when they were used"
              rows={items}
              rowKey={(one) => one.id}
              columns={[
                { name: "Token", by: (one) => one.name, cell: (one) => one.name },
                { name: "User", by: (one) => one.user, cell: (one) => one.user },
                { name: "May", by: (one) => one.role, cell: (one) => one.role },
                { name: "Last used", by: (one) => one.last_used_at, cell: (one) => (one.last_used_at ? <Time at={one.last_used_at} as="relative" /> : <span class="muted">never</span>) },
                { name: "Ends", by: (one) => one.expires_at, cell: (one) => (one.expires_at ? <Time at={one.expires_at} /> : <span class="muted">never</span>), minor: true },
                { name: "Made", by: (one) => one.created_at, cell: (one) => <Time at={one.created_at} />, minor: true },
                {
                  name: "Action",
                  silent: true,
                  numeric: true,
                  cell: (one) => (
                    <button type="button" class="quiet" onClick={() => setRevoking(one)} aria-label={`Revoke ${one.name}`}>
                      Revoke
                    </button>
                  ),
                },
              ]}
            />
          )
        }
      </Loaded>
      {making && (
        <NewToken
          onClose={() => setMaking(false)}
          onMade={(secret) => {
            setMade(secret);
            tokens.reload();
          }}
        />
      )}
      {made !== null && <Secret secret={made} onClose={() => setMade(null)} />}
      {revoking && (
        <Confirm
          title={`Revoke ${revoking.name}?`}
          verb="Revoke"
          danger
          onClose={() => setRevoking(null)}
          act={() => remove(`/tokens/${encodeURIComponent(revoking.id)}`).then(tokens.reload)}
        >
          <p>What signs in with it is refused from then on.</p>
        </Confirm>
      )}
    </section>
  );
}

function NewToken({ onClose, onMade }: { onClose: () => void; onMade: (secret: string) => void }) {
  const may: Record<Role, boolean> = { viewer: true, operator: useMay("operator"), admin: useMay("admin") };
  const [name, setName] = useState("");
  const [role, setRole] = useState("viewer");
  const [days, setDays] = useState(90);
  const act = async () => {
    const made = await post<{ secret: string }>("/tokens", { name: name.trim(), role, ...(days > 0 ? { expires_in_days: days } : {}) });
    onMade(made.secret);
  };
  return (
    <Confirm title="A new API token" verb="Make it" onClose={onClose} act={act}>
      <label class="entry">
        <span>What it is for</span>
        <input required maxLength={100} value={name} onInput={(event) => setName(event.currentTarget.value)} placeholder="nightly import" />
      </label>
      <label class="entry">
        <span>What it may</span>
        <select value={role} onChange={(event) => setRole(event.currentTarget.value)}>
          {SCOPES.filter(([, least]) => may[least]).map(([scope, , what]) => (
            <option key={scope} value={scope}>
              {scope} – {what}
            </option>
          ))}
        </select>
      </label>
      <label class="entry">
        <span>
          Days until it ends <span class="muted">– 0: never</span>
        </span>
        <input type="number" min={0} max={3650} required value={days} onInput={(event) => setDays(event.currentTarget.valueAsNumber)} />
      </label>
    </Confirm>
  );
}

function Secret({ secret, onClose }: { secret: string; onClose: () => void }) {
  const copy = () => navigator.clipboard?.writeText(secret).then(() => toast("copied"));
  return (
    <Dialog title="Keep this now" onClose={onClose}>
      <p>It is shown this once; the daemon keeps only its hash.</p>
      <p>
        <code class="secret">{secret}</code>
      </p>
      <footer>
        <button type="button" onClick={copy}>
          Copy
        </button>
        <button type="button" class="primary" onClick={onClose}>
          I have it
        </button>
      </footer>
    </Dialog>
  );
}
