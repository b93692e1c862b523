// Who may use this: one's own password and tokens; for administrators, everybody's.

import { useContext } from "preact/hooks";
import { SessionContext, useMay } from "../../session";
import { Password } from "./password";
import { Tokens } from "./tokens";
import { Users } from "./users";

export function Access() {
  const isAdmin = useMay("admin");
  const byLink = useContext(SessionContext)?.may_reset_password === true;
  return (
    <div class="stack">
      {/* Who came by a link has this to do first: the link does not work again. */}
      {byLink && <Password />}
      {isAdmin && <Users />}
      <Tokens />
      {!byLink && <Password />}
    </div>
  );
}
