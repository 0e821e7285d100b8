-- The identity of the store, one row: which sequence of changesets its checkpoints belong to.
CREATE TABLE identity (
    id       integer PRIMARY KEY CHECK (id = 1),
    identity text NOT NULL -- JSON
);
