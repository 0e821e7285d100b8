-- The log: one row per changeset. Payloads are of type json, which keeps their text as it came and
-- can be queried all the same.
CREATE TABLE changesets (
    checkpoint     bigint  NOT NULL PRIMARY KEY,
    changeset_id   bigint  NOT NULL,
    first_event_id bigint  NOT NULL,
    last_event_id  bigint  NOT NULL,
    "timestamp"    bigint  NOT NULL, -- microseconds since 1970-01-01T00:00:00Z
    payload_bytes  integer NOT NULL, -- of metadata and events, so that a page knows where it ends
    stream_id      text    COLLATE "C" NOT NULL,
    commit_id      text    COLLATE "C" NOT NULL,
    metadata       json    NOT NULL,
    events         json    NOT NULL -- an array
);

-- The last guard of optimistic concurrency, and the way to a stream's end and its changesets.
CREATE UNIQUE INDEX changesets_by_stream ON changesets (stream_id, changeset_id);

-- The way to a stream's events: event ids ascend with changeset ids.
CREATE UNIQUE INDEX changesets_by_event ON changesets (stream_id, last_event_id);

-- The projected statistics: one row, swapped by its version.
CREATE TABLE statistics (
    id                integer PRIMARY KEY CHECK (id = 1),
    version           bigint  NOT NULL,
    total_streams     bigint  NOT NULL,
    total_changesets  bigint  NOT NULL,
    total_events      bigint  NOT NULL,
    max_stream_length bigint  NOT NULL
);

INSERT INTO statistics VALUES (1, 0, 0, 0, 0, 0);

-- How far subscriptions have come.
CREATE TABLE checkpoints (
    subscription text COLLATE "C" PRIMARY KEY,
    checkpoint   bigint NOT NULL
);
