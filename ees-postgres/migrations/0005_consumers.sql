-- Durable consumers (G16). The core makes the documents, which are JSON.
CREATE TABLE consumers (
    name       text COLLATE "C" PRIMARY KEY,
    definition text NOT NULL
);

-- How far each partition of a consumer has come; swapped by its revision.
CREATE TABLE consumer_partitions (
    consumer  text COLLATE "C" NOT NULL,
    partition bigint  NOT NULL,
    revision  bigint  NOT NULL,
    document  text    NOT NULL,
    PRIMARY KEY (consumer, partition)
);

-- The parked streams of each partition; changed together with its document.
CREATE TABLE consumer_parked (
    consumer  text COLLATE "C" NOT NULL,
    partition bigint  NOT NULL,
    slot      bigint  NOT NULL,
    document  text    NOT NULL,
    PRIMARY KEY (consumer, partition, slot)
);
