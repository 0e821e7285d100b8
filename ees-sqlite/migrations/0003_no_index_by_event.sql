-- Event ids ascend with changeset ids, which have no gaps. A binary search over the changesets of a
-- stream finds an event, so each changeset costs one index entry fewer.
DROP INDEX changesets_by_event;
