-- The place of a changeset in the set of commits that was stored with it, as the core writes it. NULL:
-- it was committed alone.
ALTER TABLE changesets ADD COLUMN set_mark TEXT;
