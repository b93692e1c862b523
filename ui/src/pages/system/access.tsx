// Who may use this: one's own password and tokens; for administrators, everybody's.

import { useMay } from "../../session";
import { Password } from "./password";
import { Tokens } from "./tokens";
import { Users } from "./users";

export function Access() {
  const isAdmin = useMay("admin");
  return (
    <div class="stack">
      {isAdmin && <Users />}
      <Tokens />
      <Password />
    </div>
  );
}
