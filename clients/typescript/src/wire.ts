/** The names of the wire, and those of this library. */

import type {
  Changeset,
  Conflict,
  ConsumerBatch,
  ConsumerReport,
  Parked,
  StoredEvent,
} from "./model.js";

/** A JSON object of the wire. */
export type Wire = Record<string, any>;

/** An answer lacks what every event store answers. */
export class NotAsDescribed extends Error {}

/** A member that must be there. */
export function need(item: unknown, name: string): any {
  const value = typeof item === "object" && item !== null ? (item as Wire)[name] : undefined;
  if (value === undefined) throw new NotAsDescribed(name);
  return value;
}

/** A list that must be there. */
export function list(item: unknown, name: string): Wire[] {
  const value = need(item, name);
  if (!Array.isArray(value)) throw new NotAsDescribed(name);
  return value;
}

/** A changeset; `streamId` where the answer has it outside. */
export function changesetOf(item: Wire, streamId = ""): Changeset {
  const changeset: Changeset = {
    streamId: item.stream_id ?? streamId,
    changesetId: item.changeset_id,
    events: item.events,
    metadata: item.metadata,
  };
  if (item.checkpoint !== undefined) changeset.checkpoint = item.checkpoint;
  if (item.timestamp !== undefined) changeset.timestamp = item.timestamp;
  if (item.first_event_id !== undefined) changeset.firstEventId = item.first_event_id;
  if (item.last_event_id !== undefined) changeset.lastEventId = item.last_event_id;
  if (item.idempotency_key !== undefined) changeset.idempotencyKey = item.idempotency_key;
  return changeset;
}

/** A stream that is not as expected. */
export function conflictOf(item: Wire): Conflict {
  const streamId = String(item.stream_id);
  const missed: Wire[] = item.forthcoming_changesets ?? [];
  return {
    streamId,
    lastChangeset: item.last_changeset ?? 0,
    lastEvent: item.last_event ?? 0,
    forthcoming: missed.map((changeset) => changesetOf(changeset, streamId)),
    next: item.next,
  };
}

/** An event; a read of one stream calls its number `id`. */
export function eventOf(item: Wire, streamId = ""): StoredEvent {
  const event: StoredEvent = {
    streamId: item.stream_id ?? streamId,
    eventId: item.id ?? item.event_id,
    data: item.data,
  };
  if (item.changeset_id !== undefined) event.changesetId = item.changeset_id;
  if (item.checkpoint !== undefined) event.checkpoint = item.checkpoint;
  if (item.metadata !== undefined) event.metadata = item.metadata;
  if (item.timestamp !== undefined) event.timestamp = item.timestamp;
  return event;
}

/** `snake_case` as `camelCase`, for the members of an object but not for what they contain. */
export function camel<T>(item: unknown): T {
  if (typeof item !== "object" || item === null) throw new NotAsDescribed("an object");
  const renamed: Wire = {};
  for (const [name, value] of Object.entries(item)) {
    renamed[name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())] = value;
  }
  return renamed as T;
}

/** The other way round. */
export function snake(item: object): Wire {
  const renamed: Wire = {};
  for (const [name, value] of Object.entries(item)) {
    renamed[name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)] = value;
  }
  return renamed;
}

/** A batch of a consumer. */
export function batchOf(item: unknown): ConsumerBatch {
  need(item, "generation");
  const changesets = list(item, "changesets").map((changeset) => changesetOf(changeset));
  return { ...camel<ConsumerBatch>(item), changesets };
}

/** The report of a consumer. */
export function reportOf(item: unknown): ConsumerReport {
  return {
    ...camel<ConsumerReport>(item),
    definition: camel(need(item, "definition")),
    partitions: list(item, "partitions").map((row) => camel(row)),
  };
}

/** An entry of a parked stream. */
export function parkedOf(item: unknown): Parked {
  need(item, "from_changeset");
  return camel<Parked>(item);
}
