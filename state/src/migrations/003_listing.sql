-- Schema 3: what `recflow runs` filters by, and what `recflow prune` deletes by. Stores in the field hold it: never edit this file, add the
-- next migration beside it.

-- As those of schema 1, each yields its rows newest first: by `seq`, the row's key, which stands last in every index.
CREATE INDEX run_by_outcome ON run (pipeline, status);
DROP INDEX run_active; -- those under way are found in the one above
CREATE INDEX run_by_trigger ON run (run_trigger);
CREATE INDEX run_by_creation ON run (created_at);

-- For the foreign keys: whether a text is still executed by anything is asked once for every text that is deleted.
CREATE INDEX run_by_version ON run (version_id);
CREATE INDEX pipeline_by_version ON pipeline (version_id) WHERE version_id IS NOT NULL;
