-- The verifiable log (G17). The core makes the hashes and the document, which is JSON. A tile is 256
-- hashes of 32 bytes, which cannot be compressed, and never changes.
CREATE TABLE log_tiles (
    level  integer NOT NULL,
    number bigint  NOT NULL,
    hashes bytea   NOT NULL,
    PRIMARY KEY (level, number)
);

ALTER TABLE log_tiles ALTER COLUMN hashes SET STORAGE EXTERNAL;

-- How far the log has come: one row, swapped by its revision.
CREATE TABLE log_head (
    id       integer PRIMARY KEY CHECK (id = 1),
    revision bigint NOT NULL,
    document text   NOT NULL
);

-- The positions without a changeset, which only an import makes (G14): from `first` up to, and not
-- including, `past`. Ranges do not overlap.
CREATE TABLE void_positions (
    first bigint PRIMARY KEY,
    past  bigint NOT NULL
);

-- Where the store has moved: no commit is stored while there is a row. It is written under the store's
-- lock.
CREATE TABLE fence (
    id       integer PRIMARY KEY CHECK (id = 1),
    moved_to text NOT NULL
);
