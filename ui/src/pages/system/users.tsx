// Users and what they may do, for administrators.

import { useContext, useState } from "preact/hooks";
import { patch, post, remove } from "../../api/client";
import type { User } from "../../api/system";
import type { Page, Role } from "../../api/types";
import { useResource } from "../../api/use";
import { Confirm } from "../../parts/dialog";
import { Loaded } from "../../parts/states";
import { Table } from "../../parts/table";
import { Time } from "../../parts/time";
import { toast, toastProblem } from "../../parts/toast";
import { SessionContext } from "../../session";
import { wrongWith } from "./facts";

const ROLES: [Role, string][] = [
  ["viewer", "sees everything"],
  ["operator", "also starts, stops, pauses, promotes"],
  ["admin", "also users, audit, upkeep"],
];

export function Users() {
  const session = useContext(SessionContext);
  const users = useResource<Page<User>>("/users");
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<User | null>(null);
  const setRole = (user: User, role: Role) =>
    patch(`/users/${encodeURIComponent(user.user)}`, { role }).then(() => {
      toast(`${user.user} is ${role === "viewer" ? "a viewer" : `an ${role}`} now`);
      users.reload();
    }, (error: unknown) => {
      toastProblem(error);
      users.reload();
    });
  return (
    <section class="card" aria-labelledby="users">
      <header>
        <h2 id="users">Users</h2>
        <button type="button" onClick={() => setAdding(true)}>
          New user
        </button>
      </header>
      <Loaded of={users} rows={3}>
        {({ items }) => (
          <Table
            caption="Users and their roles"
            rows={items}
            rowKey={(one) => one.user}
            columns={[
              {
                name: "User",
                by: (one) => one.user,
                cell: (one) => (
                  <>
                    {one.user} {one.user === session?.user && <span class="badge">you</span>}
                  </>
                ),
              },
              { name: "Role", by: (one) => one.role, cell: (one) => <RoleOf user={one} isSelf={one.user === session?.user} onChange={(role) => setRole(one, role)} /> },
              { name: "Last signed in", by: (one) => one.last_login_at ?? null, cell: (one) => (one.last_login_at ? <Time at={one.last_login_at} as="relative" /> : <span class="muted">never</span>), minor: true },
              { name: "Since", by: (one) => one.created_at, cell: (one) => <Time at={one.created_at} />, minor: true },
              {
                name: "Action",
                silent: true,
                cell: (one) =>
                  one.user !== session?.user && (
                    <button type="button" class="quiet" onClick={() => setRemoving(one)} aria-label={`Remove ${one.user}`}>
                      Remove
                    </button>
                  ),
              },
            ]}
          />
        )}
      </Loaded>
      {adding && <NewUser onClose={() => setAdding(false)} onMade={users.reload} />}
      {removing && (
        <Confirm title={`Remove ${removing.user}?`} verb="Remove" danger onClose={() => setRemoving(null)} act={() => remove(`/users/${encodeURIComponent(removing.user)}`).then(users.reload)}>
          <p>Their sessions and tokens end at once. What they did stays in the audit.</p>
        </Confirm>
      )}
    </section>
  );
}

/** One's own role is not changed by oneself: nobody locks themselves out by a slip. */
function RoleOf({ user, isSelf, onChange }: { user: User; isSelf: boolean; onChange: (role: Role) => void }) {
  if (isSelf) return <span>{user.role}</span>;
  return (
    <select aria-label={`Role of ${user.user}`} value={user.role} onChange={(event) => onChange(event.currentTarget.value as Role)}>
      {ROLES.map(([role]) => (
        <option key={role} value={role}>
          {role}
        </option>
      ))}
    </select>
  );
}

function NewUser({ onClose, onMade }: { onClose: () => void; onMade: () => void }) {
  const [user, setUser] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [password, setPassword] = useState("");
  const wrong = password === "" ? null : wrongWith(password, password);
  const act = async () => {
    await post("/users", { user: user.trim(), role, password });
    toast(`${user.trim()} may sign in now`);
    onMade();
  };
  return (
    <Confirm title="A new user" verb="Add" onClose={onClose} act={act}>
      <label class="entry">
        <span>Name</span>
        <input required maxLength={64} autocomplete="off" autocapitalize="none" spellcheck={false} value={user} onInput={(event) => setUser(event.currentTarget.value)} />
      </label>
      <label class="entry">
        <span>Role</span>
        <select value={role} onChange={(event) => setRole(event.currentTarget.value as Role)}>
          {ROLES.map(([name, what]) => (
            <option key={name} value={name}>
              {name} – {what}
            </option>
          ))}
        </select>
      </label>
      <label class="entry">
        <span>
          A first password <span class="muted">– they can change it</span>
        </span>
        <input type="password" required minLength={12} autocomplete="new-password" value={password} onInput={(event) => setPassword(event.currentTarget.value)} />
        <span class="entry-error" role="status">
          {wrong}
        </span>
      </label>
    </Confirm>
  );
}
