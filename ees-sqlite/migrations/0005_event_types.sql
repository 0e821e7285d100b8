-- The distinct types of a changeset's events, one on each line, so that a filtered read passes a
-- changeset without its payload (G15). NULL: not known, in rows of older versions and where the types
-- do not fit; the payload has to be read.
ALTER TABLE changesets ADD COLUMN event_types TEXT;
