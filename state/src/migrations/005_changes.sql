-- Schema 5: what changed, in order, for whoever watches. Stores in the field hold it: never edit this file, add the next migration beside it.

-- The newest changes, whichever process made them. `seq` grows by one; the oldest rows go, and whoever stands behind them begins anew.
CREATE TABLE change (
    seq      INTEGER PRIMARY KEY,
    kind     TEXT NOT NULL, -- run, task, pipeline or model
    pipeline TEXT,
    run_id   TEXT,
    task_id  TEXT,
    state    TEXT           -- what a run or a task became
) STRICT;

CREATE TRIGGER change_trimmed AFTER INSERT ON change WHEN new.seq % 64 = 0 BEGIN
    DELETE FROM change WHERE seq <= new.seq - 20000;
END;

CREATE TRIGGER run_created AFTER INSERT ON run BEGIN
    INSERT INTO change (kind, pipeline, run_id, state) VALUES ('run', new.pipeline, new.id, new.status);
END;
CREATE TRIGGER run_changed AFTER UPDATE OF status ON run WHEN old.status IS NOT new.status BEGIN
    INSERT INTO change (kind, pipeline, run_id, state) VALUES ('run', new.pipeline, new.id, new.status);
END;
CREATE TRIGGER task_changed AFTER UPDATE OF state, attempts ON task WHEN old.state IS NOT new.state OR old.attempts IS NOT new.attempts BEGIN
    INSERT INTO change (kind, pipeline, run_id, task_id, state)
        VALUES ('task', (SELECT pipeline FROM run WHERE id = new.run_id), new.run_id, new.task_id, new.state);
END;
CREATE TRIGGER task_progressed AFTER UPDATE OF progress ON attempt WHEN old.progress IS NOT new.progress AND new.state = 'running' BEGIN
    INSERT INTO change (kind, pipeline, run_id, task_id, state)
        VALUES ('task', (SELECT pipeline FROM run WHERE id = new.run_id), new.run_id, new.task_id, 'running');
END;
CREATE TRIGGER model_promoted AFTER UPDATE OF state ON task WHEN new.stage = 'promote' AND new.state = 'succeeded' AND old.state <> 'succeeded' BEGIN
    INSERT INTO change (kind, pipeline, run_id, task_id)
        VALUES ('model', (SELECT pipeline FROM run WHERE id = new.run_id), new.run_id, new.task_id);
END;
CREATE TRIGGER pipeline_seen AFTER INSERT ON pipeline BEGIN
    INSERT INTO change (kind, pipeline) VALUES ('pipeline', new.name);
END;
CREATE TRIGGER pipeline_changed AFTER UPDATE ON pipeline WHEN old.version_id IS NOT new.version_id OR old.error IS NOT new.error
    OR old.paused_at IS NOT new.paused_at OR old.present IS NOT new.present BEGIN
    INSERT INTO change (kind, pipeline) VALUES ('pipeline', new.name);
END;

-- The few tasks that looked for drift, or drew a report, among all; and the runs that the end of another one led to.
CREATE INDEX task_drift ON task (ended_at) WHERE stage = 'detect_drift' AND state = 'succeeded';
CREATE INDEX task_report ON task (ended_at) WHERE stage = 'report' AND state = 'succeeded';
CREATE INDEX run_by_cause ON run (cause ->> '$.run') WHERE cause ->> '$.run' IS NOT NULL;
