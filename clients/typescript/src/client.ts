/** The client. */

import * as calls from "./calls.js";
import type { CommitAllOptions, CommitOptions, GlobalOptions, StreamOptions } from "./calls.js";
import * as consuming from "./consume.js";
import { type ConsumeOptions, type Handler, Worker } from "./consume.js";
import { Follower, type FollowOptions } from "./follow.js";
import type {
  Changeset,
  ChangesetBatch,
  Committed,
  CommittedSet,
  ConsumerDefinition,
  ConsumerReport,
  EventBatch,
  NewChangeset,
  Parked,
  Statistics,
  StoredEvent,
  StreamInfo,
} from "./model.js";
import { RETRY, type Retry, type Settings } from "./settings.js";

/** What a client may be told. */
export interface EventStoreOptions {
  /** The secret of a server with keys. */
  key?: string;
  /** The id of the store that is meant. Answers of another one throw `OtherStoreError`. */
  store?: string;
  /** The longest time until an answer is complete, in seconds. */
  timeout?: number;
  retry?: Partial<Retry>;
  /** Reads JSON: for payloads with numbers beyond 2^53 give a parser that keeps them. */
  parse?: (text: string) => any;
  /** Another `fetch`, for example one that signs requests. */
  fetch?: typeof fetch;
  /** Is told the error and the pause in seconds before each repeat. */
  onRetry?: (error: Error, pause: number) => void;
}

/** A client of an event store. */
export class EventStore {
  readonly #settings: Settings;

  constructor(url: string, options: EventStoreOptions = {}) {
    const headers: Record<string, string> = {
      accept: "application/json",
      "content-type": "application/json",
    };
    if (options.key !== undefined) headers.authorization = `Bearer ${options.key}`;
    this.#settings = {
      url: url.replace(/\/+$/, ""),
      store: options.store,
      headers,
      timeout: options.timeout ?? 30,
      retry: { ...RETRY, ...options.retry },
      parse: options.parse ?? JSON.parse,
      fetch: options.fetch ?? ((input, init) => fetch(input, init)),
      onRetry: options.onRetry,
    };
  }

  /**
   * Appends events as the next changeset of a stream, at most once.
   *
   * Without an expectation the stream must be new. Without a key the call makes one; give the id of a
   * command as key, so that a repeat of the command by another process is recognised too.
   */
  commit(streamId: string, events: unknown[], options: CommitOptions = {}): Promise<Committed> {
    return calls.commit(this.#settings, streamId, events, options);
  }

  /**
   * Appends changesets to several streams, at most once: all of them, or none.
   *
   * Each has the expectation of a commit. `checks` names streams that must be as they were seen, although
   * nothing is appended to them. The key belongs to the whole set.
   */
  commitAll(commits: NewChangeset[], options: CommitAllOptions = {}): Promise<CommittedSet> {
    return calls.commitAll(this.#settings, commits, options);
  }

  /** The end of a stream. */
  async streamInfo(streamId: string): Promise<StreamInfo> {
    return calls.streamInfo(this.#settings, streamId);
  }

  /** The counts of the whole store. */
  statistics(): Promise<Statistics> {
    return calls.statistics(this.#settings);
  }

  /** The changesets of a stream. */
  readChangesets(streamId: string, options: StreamOptions = {}): AsyncGenerator<Changeset> {
    return calls.readStream(this.#settings, "changesets", streamId, options);
  }

  /** The events of a stream. */
  readEvents(streamId: string, options: StreamOptions = {}): AsyncGenerator<StoredEvent> {
    return calls.readStream(this.#settings, "events", streamId, options);
  }

  /** The changesets of all streams, as many as there are now. */
  readAllChangesets(options: GlobalOptions<number> = {}): AsyncGenerator<Changeset> {
    return calls.readAll(this.#settings, "changesets", options);
  }

  /** The events of all streams, as many as there are now. */
  readAllEvents(options: GlobalOptions<string> = {}): AsyncGenerator<StoredEvent> {
    return calls.readAll(this.#settings, "events", options);
  }

  /**
   * The changesets of all streams, for ever, as they arrive: after any break it goes on.
   *
   * With a filter a batch may be empty, with a larger `nextCheckpoint`.
   */
  followBatches(options: FollowOptions<number> = {}): AsyncGenerator<ChangesetBatch> {
    return new Follower<ChangesetBatch>(this.#settings, "changesets", options).run();
  }

  /** The changesets of `followBatches`, one by one. */
  async *follow(options: FollowOptions<number> = {}): AsyncGenerator<Changeset> {
    for await (const batch of this.followBatches(options)) {
      // Faster than `yield*`, which would await each of them twice.
      for (const changeset of batch.changesets) yield changeset;
    }
  }

  /** The events of all streams, for ever, as `followBatches` does. */
  followEventBatches(options: FollowOptions<string> = {}): AsyncGenerator<EventBatch> {
    return new Follower<EventBatch>(this.#settings, "events", options).run();
  }

  /** The events of `followEventBatches`, one by one. */
  async *followEvents(options: FollowOptions<string> = {}): AsyncGenerator<StoredEvent> {
    for await (const batch of this.followEventBatches(options)) {
      for (const event of batch.events) yield event;
    }
  }

  /** Defines a consumer. The same definition may be sent again. */
  defineConsumer(name: string, definition: ConsumerDefinition = {}): Promise<ConsumerReport> {
    return consuming.define(this.#settings, name, definition);
  }

  /** The names of all consumers. */
  consumers(): Promise<string[]> {
    return consuming.names(this.#settings);
  }

  /** How far a consumer has come. With `passed` it waits until that position is passed. */
  consumer(name: string, options: { passed?: number; wait?: number } = {}): Promise<ConsumerReport> {
    return consuming.report(this.#settings, name, options.passed, options.wait);
  }

  /** Deletes a consumer. */
  deleteConsumer(name: string): Promise<void> {
    return consuming.remove(this.#settings, name);
  }

  /** Moves a consumer to a checkpoint. */
  resetConsumer(name: string, checkpoint: number): Promise<void> {
    return consuming.reset(this.#settings, name, checkpoint);
  }

  /** The streams that a consumer could not handle. */
  parked(name: string): AsyncGenerator<Parked> {
    return consuming.parked(this.#settings, name);
  }

  /** Tries a parked stream now. */
  retryParked(name: string, streamId: string): Promise<Parked> {
    return consuming.operate(this.#settings, name, "retry", { stream_id: streamId });
  }

  /** Skips the changesets of a parked stream, up to one. */
  skipParked(name: string, streamId: string, throughChangeset: number): Promise<Parked> {
    const body = { stream_id: streamId, through_changeset: throughChangeset };
    return consuming.operate(this.#settings, name, "skip", body);
  }

  /**
   * Hands the changesets of a consumer to the handler, at least once, until the signal is given.
   *
   * What the handler throws parks the stream of that changeset; the others go on.
   */
  async consume(name: string, handler: Handler, options: ConsumeOptions = {}): Promise<void> {
    const { worker = `typescript-${calls.newKey().slice(0, 8)}`, concurrency = 1, signal } = options;
    const ending = new AbortController();
    const forward = () => ending.abort();
    signal?.addEventListener("abort", forward);
    if (signal?.aborted) forward();
    const work = (number: number) => {
      const own = { ...options, signal: ending.signal };
      return new Worker(this.#settings, name, `${worker}-${number}`, handler, own).run();
    };
    try {
      await Promise.all(Array.from({ length: concurrency }, (_, number) => work(number)));
    } finally {
      forward();
      signal?.removeEventListener("abort", forward);
    }
  }
}
