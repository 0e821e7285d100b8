-- The verifiable log (G17). The core makes the hashes and the document, which is JSON. A tile is 256
-- hashes of 32 bytes, and never changes.
CREATE TABLE log_tiles (
    level  INTEGER NOT NULL,
    number INTEGER NOT NULL,
    hashes BLOB    NOT NULL,
    PRIMARY KEY (level, number)
) STRICT;

-- How far the log has come: one row, swapped by its revision.
CREATE TABLE log_head (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    revision INTEGER NOT NULL,
    document TEXT    NOT NULL
) STRICT;

-- The positions without a changeset, which only an import makes (G14): from `first` up to, and not
-- including, `past`. Ranges do not overlap.
CREATE TABLE void_positions (
    first INTEGER PRIMARY KEY,
    past  INTEGER NOT NULL
) STRICT;

-- Where the store has moved: no commit is stored while there is a row.
CREATE TABLE fence (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    moved_to TEXT NOT NULL
) STRICT;
