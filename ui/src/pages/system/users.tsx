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
import { CHARACTERS_MIN, wrongWith } from "./facts";

const ROLES: [Role, string][] = [
  ["viewer", "sees everything"],
  ["operator", "also starts, stops, pauses, promotes"],
  ["admin", "also users, audit, upkeep"],
];

export function Users() {
  const session = useContext(SessionContext);
  const users = useResource<Page<User>>("/users");
  const [adding, setAdding] = useState(false);
  const [resetting, setResetting] = useState<User | null>(null);
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
              { name: "Signs in by", by: (one) => (one.has_password ? 1 : 0), cell: (one) => (one.has_password ? "password" : <span class="muted">a link</span>), minor: true },
              { name: "Since", by: (one) => one.created_at, cell: (one) => <Time at={one.created_at} />, minor: true },
              {
                name: "Action",
                silent: true,
                numeric: true,
                cell: (one) =>
                  one.user !== session?.user && (
                    <span class="row-actions">
                      <button type="button" class="quiet" onClick={() => setResetting(one)} aria-label={`Set password of ${one.user}`}>
                        Set password
                      </button>
                      <button type="button" class="quiet" onClick={() => setRemoving(one)} aria-label={`Remove ${one.user}`}>
                        Remove
                      </button>
                    </span>
                  ),
              },
            ]}
          />
        )}
      </Loaded>
      {adding && <NewUser onClose={() => setAdding(false)} onMade={users.reload} />}
      {resetting && <NewPassword user={resetting.user} onClose={() => setResetting(null)} onDone={users.reload} />}
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
  const act = async () => {
    await post("/users", { user: user.trim(), role, ...(password === "" ? {} : { password }) });
    toast(`${user.trim()} may sign in now`);
    onMade();
  };
  return (
    <Confirm title="A new user" verb="Add" onClose={onClose} act={act}>
      <label class="entry">
        <span>Name</span>
        <input required pattern="[a-z0-9][a-z0-9._@\-]*" title="a-z, 0-9, . _ @ and -, the first a letter or a digit" maxLength={64} autocomplete="off" autocapitalize="none" spellcheck={false} value={user} onInput={(event) => setUser(event.currentTarget.value)} />
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
      <PasswordEntry label="A first password" about="may be empty: “recflow user link” then prints a link" value={password} onChange={setPassword} />
    </Confirm>
  );
}

function NewPassword({ user, onClose, onDone }: { user: string; onClose: () => void; onDone: () => void }) {
  const [password, setPassword] = useState("");
  const act = async () => {
    await patch(`/users/${encodeURIComponent(user)}`, { password });
    toast(`${user} has a new password`);
    onDone();
  };
  return (
    <Confirm title={`A new password for ${user}`} verb="Set" onClose={onClose} act={act}>
      <p>Their sessions end at once.</p>
      <PasswordEntry label="Password" about="they can change it" value={password} onChange={setPassword} required />
    </Confirm>
  );
}

function PasswordEntry(props: { label: string; about: string; value: string; onChange: (value: string) => void; required?: boolean }) {
  const { label, about, value, onChange, required = false } = props;
  return (
    <label class="entry">
      <span>
        {label} <span class="muted">– {about}</span>
      </span>
      <input type="password" required={required} minLength={CHARACTERS_MIN} autocomplete="new-password" value={value} onInput={(event) => onChange(event.currentTarget.value)} />
      <span class="entry-error" role="status">
        {value === "" ? null : wrongWith(value, value)}
      </span>
    </label>
  );
}
