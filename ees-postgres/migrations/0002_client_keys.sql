-- The way from a client's idempotency key to its changeset, which is stored once (G10). Keys that
-- begin with `ees-` are the store's own and have no entry. The index is not unique, because older
-- versions may have stored a key more than once: the lowest changeset counts.
--
-- The index may exist already, made by `CREATE INDEX CONCURRENTLY` before the upgrade, which blocks
-- no commit. PostgreSQL leaves an invalid index if that fails; it is made anew.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_index
               WHERE indexrelid = to_regclass('changesets_by_key') AND NOT indisvalid) THEN
        DROP INDEX changesets_by_key;
    END IF;
END $$;

CREATE INDEX IF NOT EXISTS changesets_by_key ON changesets (stream_id, commit_id, changeset_id)
WHERE left(commit_id, 4) <> 'ees-';
