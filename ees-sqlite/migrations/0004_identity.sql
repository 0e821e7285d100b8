-- The identity of the store, one row: which sequence of changesets its checkpoints belong to.
CREATE TABLE identity (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    identity TEXT NOT NULL -- JSON
) STRICT;
