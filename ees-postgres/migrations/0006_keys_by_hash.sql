-- The index of clients' idempotency keys (G10) holds a hash of stream and key, so that an entry has a
-- third of the bytes and a comparison compares two numbers. Whoever reads it compares the key itself.
--
-- The index may exist already, made by `CREATE INDEX CONCURRENTLY` before the upgrade, which blocks
-- no commit. PostgreSQL leaves an invalid index if that fails; it is made anew.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_index
               WHERE indexrelid = to_regclass('changesets_by_key_hash') AND NOT indisvalid) THEN
        DROP INDEX changesets_by_key_hash;
    END IF;
END $$;

CREATE INDEX IF NOT EXISTS changesets_by_key_hash
ON changesets (hashtextextended(commit_id, hashtextextended(stream_id, 0)), changeset_id)
WHERE left(commit_id, 4) <> 'ees-';

DROP INDEX changesets_by_key;
