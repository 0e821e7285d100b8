/** The global order without an end: by an event stream, or by long polls. */

import { given, selecting } from "./calls.js";
import { EesError, TransportError, UnavailableError } from "./errors.js";
import { type Answer, type EventStream, hasType, Lost, open } from "./http.js";
import type { ChangesetBatch, EventBatch, Filter } from "./model.js";
import { checkStore, errorOf, request, unexpected } from "./request.js";
import { now, pauseAfter, type Settings, sleep } from "./settings.js";
import { type Frame, Frames } from "./sse.js";
import { changesetOf, eventOf, list, need, type Wire } from "./wire.js";

/** What is followed, and from where. */
export interface FollowOptions<C> {
  /** The first checkpoint that is wanted, or `"head"`; the first one of all unless given. */
  checkpoint?: C | "head";
  filter?: Filter;
  /** The id of the store that was saved with the checkpoint. */
  store?: string;
  details?: boolean;
  /** Long polls instead of an event stream. */
  longPoll?: boolean;
  /** Ends the loop. */
  signal?: AbortSignal;
}

/** The server waits so long for news, at most. */
const LONGEST_WAIT = 20;

/** Where a reader of the global order is, and how it goes on. */
export class Follower<B extends ChangesetBatch | EventBatch> {
  #next: number | string;
  #lastId: string | undefined;
  #store: string | undefined;
  #longPoll: boolean;
  #failures = 0;
  readonly #query: [string, string][];
  readonly #signal: AbortSignal | undefined;

  constructor(
    private readonly settings: Settings,
    private readonly kind: "changesets" | "events",
    options: FollowOptions<number | string>,
  ) {
    this.#next = options.checkpoint ?? (kind === "events" ? "0.0" : 0);
    this.#store = options.store ?? settings.store;
    this.#longPoll = options.longPoll ?? false;
    this.#query = [...selecting(options.filter), ...given({ details: options.details })];
    this.#signal = options.signal;
  }

  /** Batches, until the caller stops. */
  async *run(): AsyncGenerator<B> {
    try {
      // The head as a number: a resumed reader must not pass by what came meanwhile.
      if (this.#next === "head") yield* this.#page(undefined);
      while (!this.#signal?.aborted) {
        yield* this.#longPoll ? this.#page(LONGEST_WAIT) : this.#stream();
      }
    } catch (error) {
      if (!this.#signal?.aborted || error instanceof EesError) throw error;
    }
  }

  /** One page, by a long poll. */
  async *#page(wait: number | undefined): AsyncGenerator<B> {
    const at = this.#next;
    const parameters = given({ checkpoint: at, store: this.#store, limit: 1000, wait });
    const query = [...parameters, ...this.#query];
    const asked = { method: "GET", path: `/${this.kind}`, query, wait, signal: this.#signal };
    const read = (page: Wire, answer: Answer) => ({
      items: list(page, this.kind),
      next: need(page, "next_checkpoint") as number | string,
      answered: answer.headers.get("ees-store") ?? undefined,
    });
    const judging = { store: this.#store, forever: true };
    const page = await request(this.settings, asked, read, judging);
    this.#next = page.next;
    this.#store ??= page.answered;
    this.#lastId = undefined;
    if (page.items.length > 0 || page.next !== at) yield this.#batch(page.items);
  }

  /** One event stream, to its end, and the pause after it. */
  async *#stream(): AsyncGenerator<B> {
    const begun = now();
    const headers: Record<string, string> = { accept: "text/event-stream" };
    if (this.#lastId !== undefined) headers["last-event-id"] = this.#lastId;
    const query = [...given({ checkpoint: this.#next, store: this.#store }), ...this.#query];
    const asked = { method: "GET", path: `/${this.kind}`, query, headers, signal: this.#signal };
    const answer = await open(this.settings, asked);
    let problem: Error = new TransportError("the event stream ended");
    let retryAfter: number | undefined;
    if (answer instanceof Lost) {
      problem = new TransportError(answer.reason);
    } else if ("read" in answer) {
      try {
        checkStore(answer.headers, this.#store);
        this.#store ??= answer.headers.get("ees-store") ?? undefined;
        yield* this.#received(answer);
      } finally {
        answer.close();
      }
    } else if (answer.status === 406 || this.#isPage(answer)) {
      this.#longPoll = true;
      return;
    } else if (answer.status === 200) {
      throw unexpected(answer);
    } else {
      const error = errorOf(answer, this.#store);
      if (!(error instanceof UnavailableError)) throw error;
      problem = error;
      retryAfter = error.retryAfter;
    }
    if (this.#signal?.aborted) return;
    // A stream that lasted is no failure, though it brought nothing.
    const lasted = now() - begun > this.settings.retry.longestPause;
    this.#failures = lasted ? 1 : this.#failures + 1;
    const pause = pauseAfter(this.settings.retry, this.#failures, retryAfter);
    this.settings.onRetry?.(problem, pause);
    await sleep(pause, this.#signal);
  }

  /** Whether something between took `Accept` away, so that a page came. */
  #isPage(answer: Answer): boolean {
    return answer.status === 200 && hasType(answer.headers, "application/json");
  }

  /** The batches of an event stream. */
  async *#received(stream: EventStream): AsyncGenerator<B> {
    const frames = new Frames(this.#lastId);
    while (!this.#signal?.aborted) {
      const bytes = await stream.read();
      if (bytes === undefined) return;
      const events = frames.feed(bytes);
      const batch = events.length > 0 ? this.#news(events, frames.lastId) : undefined;
      if (batch !== undefined) {
        this.#failures = 0;
        yield batch;
      }
    }
  }

  /** The batch of some events; nothing if all of them were there before. */
  #news(frames: Frame[], lastId: string | undefined): B | undefined {
    const name = this.kind.slice(0, -1);
    const known = frames.filter(([event]) => event === name || event === "checkpoint");
    const items: Wire[] = this.settings.parse(`[${known.map(([, data]) => data).join(",")}]`);
    const before = order(this.#next);
    let [changesets, events] = before;
    const news: Wire[] = [];
    for (const item of items) {
      const isMark = item.next_checkpoint !== undefined;
      const [changeset, event] = order(isMark ? item.next_checkpoint : item.checkpoint);
      if (changeset < changesets || (changeset === changesets && event < events)) continue;
      if (!isMark) news.push(item);
      changesets = changeset;
      events = event;
      if (isMark) continue;
      if (this.kind === "events") events += 1;
      else changesets += 1;
    }
    if (changesets === before[0] && events === before[1]) return undefined;
    this.#lastId = lastId;
    this.#next = this.kind === "events" ? `${changesets}.${events}` : changesets;
    return this.#batch(news);
  }

  #batch(items: Wire[]): B {
    const place = { nextCheckpoint: this.#next, store: this.#store };
    const batch =
      this.kind === "events"
        ? { events: items.map((item) => eventOf(item)), ...place }
        : { changesets: items.map((item) => changesetOf(item)), ...place };
    return batch as B;
  }
}

/** A checkpoint as it is compared: `c`, or `c.i`. */
function order(checkpoint: number | string): [number, number] {
  if (typeof checkpoint === "number") return [checkpoint, 0];
  const dot = checkpoint.indexOf(".");
  if (dot < 0) return [Number(checkpoint), 0];
  return [Number(checkpoint.slice(0, dot)), Number(checkpoint.slice(dot + 1))];
}
