/** Commits, reads of streams and of the global order, and statistics. */

import type { Answer, Send } from "./http.js";
import type {
  Changeset,
  Check,
  Committed,
  CommittedSet,
  Filter,
  NewChangeset,
  Statistics,
  StoredEvent,
  StreamInfo,
} from "./model.js";
import { request } from "./request.js";
import type { Settings } from "./settings.js";
import { camel, changesetOf, eventOf, list, need, snake, type Wire } from "./wire.js";

/** What a commit may say besides its events. */
export interface CommitOptions {
  /** The last changeset that the stream must have; 0: the stream is new, as without an expectation. */
  expectedLastChangeset?: number;
  /** The last event that the stream must have. */
  expectedLastEvent?: number;
  metadata?: unknown;
  /** The id of the command, of which the stream has one changeset for ever. Made up unless given. */
  idempotencyKey?: string;
  /** The largest number of changesets that a conflict shall list. */
  forthcoming?: number;
  /** Ends the tries. A commit that is aborted may be written: repeat it with its key. */
  signal?: AbortSignal;
}

/** What a commit to several streams may say besides its changesets. */
export interface CommitAllOptions {
  /** Streams without a commit that must be as they were seen. */
  checks?: Check[];
  /** The id of the command, which belongs to the whole set for ever. Made up unless given. */
  idempotencyKey?: string;
  /** The largest number of changesets that a conflict shall list for each stream. */
  forthcoming?: number;
  /** Ends the tries. A set that is aborted may be written: repeat it with its key. */
  signal?: AbortSignal;
}

/** What is read of a stream. */
export interface StreamOptions {
  /** The first id, inclusive. */
  from?: number;
  /** The last id, inclusive. */
  to?: number;
  direction?: "forward" | "backward";
  /** The largest number of items that one request asks for. */
  pageSize?: number;
  /** How many seconds to wait for the first item. */
  wait?: number;
  details?: boolean;
  signal?: AbortSignal;
}

/** What is read of the global order. */
export interface GlobalOptions<C> {
  /** Where to begin: forward with this one, backward before it. */
  checkpoint?: C;
  direction?: "forward" | "backward";
  filter?: Filter;
  /** The id of the store to which the checkpoint belongs. */
  store?: string;
  /** The largest number of items that one request asks for. */
  pageSize?: number;
  details?: boolean;
  signal?: AbortSignal;
}

/** The path of a stream. */
function pathOf(streamId: string): string {
  // The parser of URLs would take them for steps upwards, even percent-encoded.
  if (streamId === "." || streamId === "..") {
    throw new RangeError(`no URL can name the stream ${JSON.stringify(streamId)}`);
  }
  return `/streams/${encodeURIComponent(streamId)}`;
}

/** The query of the parameters that are given. */
export function given(parameters: Record<string, unknown>): [string, string][] {
  const query: [string, string][] = [];
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== false) query.push([name, String(value)]);
  }
  return query;
}

/** The query of a filter. */
export function selecting(filter: Filter = {}): [string, string][] {
  const prefixes = (filter.streamPrefixes ?? []).map((prefix) => ["stream_prefix", prefix]);
  const types = (filter.eventTypes ?? []).map((type) => ["event_type", type]);
  return [...prefixes, ...types] as [string, string][];
}

/** Commits events. The body is written once, so that each try sends the same bytes. */
export async function commit(
  settings: Settings,
  streamId: string,
  events: unknown[],
  options: CommitOptions,
): Promise<Committed> {
  const key = keyOf(options);
  const asked: Send = {
    method: "POST",
    path: pathOf(streamId),
    query: given({
      expected_last_changeset: options.expectedLastChangeset,
      expected_last_event: options.expectedLastEvent,
      forthcoming: options.forthcoming,
      details: true,
    }),
    headers: { "idempotency-key": key },
    body: JSON.stringify({ events, metadata: options.metadata }),
    signal: options.signal,
  };
  const read = (item: Wire, answer: Answer) => committedOf(item, key, isReplayed(answer));
  return request(settings, asked, read, { key });
}

/** Commits to several streams, with one body as well. */
export async function commitAll(
  settings: Settings,
  commits: NewChangeset[],
  options: CommitAllOptions,
): Promise<CommittedSet> {
  const key = keyOf(options);
  const set = { commits: commits.map(snake), checks: options.checks?.map(snake) };
  const asked: Send = {
    method: "POST",
    path: "/commits",
    query: given({ forthcoming: options.forthcoming, details: true }),
    headers: { "idempotency-key": key },
    body: JSON.stringify(set),
    signal: options.signal,
  };
  const read = (body: Wire, answer: Answer): CommittedSet => {
    const replayed = isReplayed(answer);
    const stored = list(body, "commits").map((item) => committedOf(item, key, replayed));
    return { commits: stored, idempotencyKey: key, replayed };
  };
  return request(settings, asked, read, { key });
}

/** The key of a commit: the one that is given, or a new one. */
function keyOf(options: { idempotencyKey?: string }): string {
  const key = options.idempotencyKey ?? newKey();
  if (!/^[ -~]{1,255}$/.test(key)) {
    throw new RangeError("an idempotency key has 1 to 255 printable ASCII characters");
  }
  return key;
}

function isReplayed(answer: Answer): boolean {
  return answer.headers.get("idempotency-replayed") === "true";
}

/** A changeset that is stored. */
function committedOf(item: Wire, key: string, replayed: boolean): Committed {
  need(item, "changeset_id");
  const { streamId, changesetId, checkpoint, timestamp, firstEventId, lastEventId } =
    camel<Committed>(item);
  const committed = { streamId, changesetId, idempotencyKey: key, replayed };
  return { ...committed, checkpoint, timestamp, firstEventId, lastEventId };
}

/** The end of a stream. */
export function streamInfo(settings: Settings, streamId: string): Promise<StreamInfo> {
  const asked = { method: "GET", path: pathOf(streamId) };
  return request(settings, asked, (item) => (need(item, "last_changeset"), camel<StreamInfo>(item)));
}

/** The counts of the whole store. */
export function statistics(settings: Settings): Promise<Statistics> {
  const asked = { method: "GET", path: "/streams" };
  return request(settings, asked, (item) => (need(item, "total_streams"), camel<Statistics>(item)));
}

/** The items of a stream: page by page. */
export async function* readStream<T extends Changeset | StoredEvent>(
  settings: Settings,
  kind: "changesets" | "events",
  streamId: string,
  options: StreamOptions,
): AsyncGenerator<T> {
  let { from, to, wait } = options;
  const { direction, pageSize: limit, details, signal } = options;
  const make = (kind === "changesets" ? changesetOf : eventOf) as (item: Wire, id: string) => T;
  const read = (page: Wire) => ({
    items: list(page, kind).map((item) => make(item, need(page, "stream_id"))),
    next: page.next as number | undefined,
  });
  for (;;) {
    const query = given({ from, to, limit, wait, direction, details });
    const path = `${pathOf(streamId)}/${kind}`;
    const { items, next } = await request(settings, { method: "GET", path, query, wait, signal }, read);
    yield* items;
    if (next === undefined) return;
    wait = undefined;
    if (direction === "backward") to = next;
    else from = next;
  }
}

/** What the global order has now: forward up to its head, or backward down to its begin. */
export async function* readAll<T extends Changeset | StoredEvent>(
  settings: Settings,
  kind: "changesets" | "events",
  options: GlobalOptions<number | string>,
): AsyncGenerator<T> {
  const { direction, pageSize: limit = 1000, details, filter, signal } = options;
  let { checkpoint, store = settings.store } = options;
  const make = (kind === "changesets" ? changesetOf : eventOf) as (item: Wire) => T;
  const read = (page: Wire, answer: Answer) => ({
    items: list(page, kind).map((item) => make(item)),
    asked: need(page, "checkpoint"),
    next: need(page, "next_checkpoint"),
    answered: answer.headers.get("ees-store") ?? undefined,
  });
  for (;;) {
    const query = [...given({ checkpoint, store, limit, direction, details }), ...selecting(filter)];
    const asked = { method: "GET", path: `/${kind}`, query, signal };
    const page = await request(settings, asked, read, { store });
    // The pages after the first one are of the same store.
    store ??= page.answered;
    yield* page.items;
    const isStart = direction === "backward" && ["0", "0.0"].includes(String(page.next));
    if (isStart || (page.items.length === 0 && page.next === page.asked)) return;
    checkpoint = page.next;
  }
}

/** A UUID, also where the platform makes none. */
export function newKey(): string {
  const crypto = globalThis.crypto as Partial<Crypto> | undefined;
  if (crypto?.randomUUID) return crypto.randomUUID();
  const bytes = Array.from({ length: 16 }, () => Math.floor(Math.random() * 256));
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
