-- The log: one row per changeset. `checkpoint` is the rowid, so appends and global reads go
-- through the file in order; small columns stand first, so that the end of a stream is read
-- without touching the payload's pages.
CREATE TABLE changesets (
    checkpoint     INTEGER PRIMARY KEY,
    stream_id      TEXT    NOT NULL,
    changeset_id   INTEGER NOT NULL,
    first_event_id INTEGER NOT NULL,
    last_event_id  INTEGER NOT NULL,
    timestamp      INTEGER NOT NULL, -- microseconds since 1970-01-01T00:00:00Z
    commit_id      TEXT    NOT NULL,
    metadata       TEXT    NOT NULL, -- JSON, verbatim
    events         TEXT    NOT NULL  -- a JSON array, verbatim
) STRICT;

-- The last guard of optimistic concurrency, and the way to a stream's end and its changesets.
CREATE UNIQUE INDEX changesets_by_stream ON changesets (stream_id, changeset_id);

-- The way to a stream's events: event ids ascend with changeset ids.
CREATE UNIQUE INDEX changesets_by_event ON changesets (stream_id, last_event_id);

-- The projected statistics: one row, swapped by its version.
CREATE TABLE statistics (
    id                INTEGER PRIMARY KEY CHECK (id = 1),
    version           INTEGER NOT NULL,
    total_streams     INTEGER NOT NULL,
    total_changesets  INTEGER NOT NULL,
    total_events      INTEGER NOT NULL,
    max_stream_length INTEGER NOT NULL
) STRICT;

INSERT INTO statistics VALUES (1, 0, 0, 0, 0, 0);

-- How far subscriptions have come.
CREATE TABLE checkpoints (
    subscription TEXT PRIMARY KEY,
    checkpoint   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
