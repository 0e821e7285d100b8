-- The way from a client's idempotency key to its changeset, which is stored once (G10). Keys that
-- begin with `ees-` are the store's own and have no entry. The index is not unique, because older
-- versions may have stored a key more than once: the lowest changeset counts.
CREATE INDEX changesets_by_key ON changesets (stream_id, commit_id, changeset_id)
WHERE substr(commit_id, 1, 4) <> 'ees-';
