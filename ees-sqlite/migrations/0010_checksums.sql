-- The checksum of each row (G19): `src/checksum.rs` defines it. NULL: the upgrade has not come to the
-- row. It adds the checksums of the rows that an older version wrote.
ALTER TABLE changesets ADD COLUMN checksum INTEGER;

-- What the store must have, one row. The table ends before `next_checkpoint`, with a row that has
-- `last_checksum`. Rows below `dated_from` got their checksums from the upgrade, which has come to
-- `upgraded_to`; the others got them from their commits.
CREATE TABLE state (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    next_checkpoint INTEGER NOT NULL,
    last_checksum   INTEGER,
    upgraded_to     INTEGER NOT NULL,
    dated_from      INTEGER NOT NULL
) STRICT;

INSERT INTO state
SELECT 1, coalesce(max(checkpoint) + 1, 0), NULL, 0, coalesce(max(checkpoint) + 1, 0) FROM changesets;
