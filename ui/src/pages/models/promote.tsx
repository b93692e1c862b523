// Promoting a version by hand and going back: asked once more, with the reason that will stand in the record.

import { useState } from "preact/hooks";
import { post, query } from "../../api/client";
import type { Promotion } from "../../api/models";
import { Confirm } from "../../parts/dialog";
import { toast } from "../../parts/toast";
import { versionName } from "./facts";

export function Promote({ version, folder, onClose, onDone }: { version: string; folder: string; onClose: () => void; onDone?: () => void }) {
  const [reason, setReason] = useState("");
  const act = async () => {
    await post(query(`/models/${encodeURIComponent(version)}/promote`, { folder }), { reason: reason.trim() });
    toast(`${versionName(version)} is the current version`);
    onDone?.();
  };
  return (
    <Confirm title={`Promote ${versionName(version)}?`} verb="Promote" onClose={onClose} act={act}>
      <p>It becomes the current version at once: what asks for the current model gets it from then on. Nothing is compared.</p>
      <Reason value={reason} onChange={setReason} required />
    </Confirm>
  );
}

export function RollBack({ folder, decisions, onClose }: { folder: string; decisions: Promotion[]; onClose: () => void }) {
  const [reason, setReason] = useState("");
  const last = decisions.find((one) => one.promoted);
  const act = async () => {
    const done = await post<Partial<Promotion>>(query("/models/rollback", { folder }), reason.trim() === "" ? {} : { reason: reason.trim() });
    toast(done.version ? `went back to ${versionName(done.version)}` : "went back to the version before");
  };
  return (
    <Confirm title="Roll back?" verb="Roll back" danger onClose={onClose} act={act}>
      <p>
        The version that was current before becomes so again
        {last?.previous && (
          <>
            : <strong class="num">{versionName(last.previous)}</strong>, in place of <span class="num">{versionName(last.version)}</span>
          </>
        )}
        . Once more goes further back.
      </p>
      <Reason value={reason} onChange={setReason} />
    </Confirm>
  );
}

function Reason({ value, onChange, required = false }: { value: string; onChange: (value: string) => void; required?: boolean }) {
  return (
    <label class="entry">
      <span>
        Reason <span class="muted">{required ? "– recorded with the promotion" : "– recorded, may be empty"}</span>
      </span>
      <textarea rows={2} maxLength={1000} required={required} value={value} onInput={(event) => onChange(event.currentTarget.value)} placeholder="won the A/B test of week 12" />
    </label>
  );
}
