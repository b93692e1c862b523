// Changing one's own password.

import { useContext, useState } from "preact/hooks";
import { post, Problem } from "../../api/client";
import { ProblemBox } from "../../parts/states";
import { toast } from "../../parts/toast";
import { SessionContext } from "../../session";
import { wrongWith } from "./facts";

export function Password() {
  const session = useContext(SessionContext);
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const [again, setAgain] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);
  const asksOld = session?.may_reset_password !== true;
  const wrong = fresh === "" ? null : wrongWith(fresh, again);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (wrong !== null) return;
    setProblem(null);
    try {
      await post("/session/password", asksOld ? { old, new: fresh } : { new: fresh });
      for (const clear of [setOld, setFresh, setAgain]) clear("");
      toast("your password was changed; your other sessions have ended");
    } catch (error) {
      setProblem(error instanceof Problem ? error : new Problem(0, String(error), null, null, null, []));
    }
  };
  return (
    <section class="card narrow" aria-labelledby="password">
      <header>
        <h2 id="password">Your password</h2>
      </header>
      <form class="body stack" onSubmit={submit}>
        {!asksOld && <p>You signed in by a link, which works once. Set a password to come back.</p>}
        {/* For password managers: whose password it is. */}
        <input class="sr-only" type="text" autocomplete="username" value={session?.user ?? ""} readOnly tabIndex={-1} aria-hidden="true" />
        {asksOld && <Field label="The one you have" name="current-password" value={old} onChange={setOld} hint={null} />}
        <Field label="A new one" name="new-password" value={fresh} onChange={setFresh} hint={null} />
        <Field label="The new one again" name="new-password" value={again} onChange={setAgain} hint={wrong} />
        {problem && <ProblemBox problem={problem} />}
        <p>
          <button type="submit" class="primary" disabled={wrong !== null || fresh === ""}>
            Change
          </button>
        </p>
      </form>
    </section>
  );
}

function Field({ label, name, value, onChange, hint }: { label: string; name: string; value: string; onChange: (value: string) => void; hint: string | null }) {
  return (
    <label class="entry">
      <span>{label}</span>
      <input type="password" autocomplete={name} required value={value} onInput={(event) => onChange(event.currentTarget.value)} aria-invalid={hint !== null} />
      <span class="entry-error" role="status">
        {hint}
      </span>
    </label>
  );
}
