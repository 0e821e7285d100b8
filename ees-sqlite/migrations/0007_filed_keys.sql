-- The clients' idempotency keys of each stream's full blocks of 32 changesets (G10). The keys of a
-- block are filed at once, so that many entries share the pages that they change. The keys of the
-- last block stand in its rows only. `key_hash` is the first 8 bytes of the key's SHA-256.
CREATE TABLE client_keys (
    stream_id    TEXT    NOT NULL,
    key_hash     INTEGER NOT NULL,
    changeset_id INTEGER NOT NULL,
    PRIMARY KEY (stream_id, key_hash, changeset_id)
) STRICT, WITHOUT ROWID;

INSERT INTO client_keys
SELECT stream_id, key_hash(commit_id), changeset_id FROM changesets
WHERE substr(commit_id, 1, 4) <> 'ees-'
ORDER BY stream_id;

DROP INDEX changesets_by_key;
