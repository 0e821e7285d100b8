-- Durable consumers (G16). The core makes the documents, which are JSON.
CREATE TABLE consumers (
    name       TEXT PRIMARY KEY,
    definition TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- How far each partition of a consumer has come; swapped by its revision.
CREATE TABLE consumer_partitions (
    consumer  TEXT    NOT NULL,
    partition INTEGER NOT NULL,
    revision  INTEGER NOT NULL,
    document  TEXT    NOT NULL,
    PRIMARY KEY (consumer, partition)
) STRICT, WITHOUT ROWID;

-- The parked streams of each partition; changed together with its document.
CREATE TABLE consumer_parked (
    consumer  TEXT    NOT NULL,
    partition INTEGER NOT NULL,
    slot      INTEGER NOT NULL,
    document  TEXT    NOT NULL,
    PRIMARY KEY (consumer, partition, slot)
) STRICT, WITHOUT ROWID;
