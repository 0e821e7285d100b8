/** Durable consumers: a worker's loop, and the calls of operators. */

import { given } from "./calls.js";
import { EesError, FencedError } from "./errors.js";
import type { Answer, Send } from "./http.js";
import type {
  Changeset,
  ConsumerBatch,
  ConsumerDefinition,
  ConsumerReport,
  Parked,
} from "./model.js";
import { request } from "./request.js";
import { now, type Settings } from "./settings.js";
import { batchOf, list, parkedOf, reportOf, snake, type Wire } from "./wire.js";

/** Handles a changeset. What it throws parks the stream of that changeset. */
export type Handler = (changeset: Changeset) => Promise<void> | void;

/** How a consumer is worked for. */
export interface ConsumeOptions {
  /** A name, for people who look who has a batch. */
  worker?: string;
  /** The largest number of changesets of a batch. */
  limit?: number;
  /** How many seconds a claim waits for something to do. */
  wait?: number;
  /** How many loops work, each on a partition of its own. */
  concurrency?: number;
  /**
   * Ends the work. What was handled is acknowledged. A batch that is handed out at this moment is lost
   * with its claim, and handed out again after its lease.
   */
  signal?: AbortSignal;
}

/** The store keeps so many bytes of it. */
const LONGEST_ERROR = 256;

interface Failure {
  stream_id: string;
  changeset_id: number;
  error: string;
}

/** A worker of a consumer. */
export class Worker {
  constructor(
    private readonly settings: Settings,
    private readonly name: string,
    private readonly worker: string,
    private readonly handler: Handler,
    private readonly options: ConsumeOptions,
  ) {}

  /** Claims, hands over and acknowledges batches, until the caller stops. */
  async run(): Promise<void> {
    const { signal } = this.options;
    try {
      while (!signal?.aborted) {
        let batch = await this.#claim();
        let begun = now();
        while (batch !== undefined) {
          const { checkpoint, failed } = await this.#handOver(batch, begun);
          // The lease of the next batch begins after this moment.
          begun = now();
          batch = await this.#acknowledge(batch, checkpoint, failed);
        }
      }
    } catch (error) {
      if (!signal?.aborted || error instanceof EesError) throw error;
    }
  }

  get #limit(): number {
    return this.options.limit ?? 100;
  }

  #claim(): Promise<ConsumerBatch | undefined> {
    const { wait = 20, signal } = this.options;
    const body = { worker: this.worker, limit: this.#limit, wait };
    const asked = { ...post(this.name, "claim", body), wait, signal };
    return request(this.settings, asked, batchOrNone, { forever: true });
  }

  /**
   * Hands a batch to the handler: all of it, or what half of its lease is enough for. The rest comes
   * in the next batch, with a lease of its own. After a failure the stream waits.
   */
  async #handOver(batch: ConsumerBatch, begun: number) {
    const failed = new Map<string, Failure>();
    for (const [number, changeset] of batch.changesets.entries()) {
      const late = number > 0 && now() - begun > batch.leaseSeconds / 2;
      if ((this.options.signal?.aborted || late) && changeset.checkpoint !== undefined) {
        return { checkpoint: changeset.checkpoint, failed: [...failed.values()] };
      }
      const { streamId, changesetId } = changeset;
      if (failed.has(streamId)) continue;
      try {
        await this.handler(changeset);
      } catch (error) {
        const text = String(error).slice(0, LONGEST_ERROR);
        const failure = { stream_id: streamId, changeset_id: changesetId, error: text };
        failed.set(streamId, failure);
      }
    }
    return { checkpoint: batch.nextCheckpoint, failed: [...failed.values()] };
  }

  /** Acknowledges, and returns the next batch if there is one at once. */
  async #acknowledge(batch: ConsumerBatch, checkpoint: number, failed: Failure[]) {
    const { partition, generation } = batch;
    const more = !this.options.signal?.aborted;
    const next = more ? { limit: this.#limit, wait: 0 } : undefined;
    const asked = post(this.name, "ack", { partition, generation, checkpoint, failed, next });
    try {
      // A last acknowledgement is tried like any other call: who stops does not wait for ever.
      return await request(this.settings, asked, batchOrNone, { forever: more });
    } catch (error) {
      // Another worker has taken over. What was handled here is handed out again.
      if (error instanceof FencedError) return undefined;
      throw error;
    }
  }
}

function batchOrNone(item: Wire | undefined, _: Answer): ConsumerBatch | undefined {
  return item === undefined || Object.keys(item).length === 0 ? undefined : batchOf(item);
}

function pathOf(name: string, call?: string): string {
  const path = `/consumers/${encodeURIComponent(name)}`;
  return call === undefined ? path : `${path}/${call}`;
}

function post(name: string, call: string, body: object): Send {
  return { method: "POST", path: pathOf(name, call), body: JSON.stringify(body) };
}

/** Defines a consumer. */
export function define(
  settings: Settings,
  name: string,
  definition: ConsumerDefinition,
): Promise<ConsumerReport> {
  const body = JSON.stringify(snake(definition));
  return request(settings, { method: "PUT", path: pathOf(name), body }, reportOf);
}

/** How far a consumer has come. */
export function report(
  settings: Settings,
  name: string,
  passed?: number,
  wait?: number,
): Promise<ConsumerReport> {
  const query = given({ passed, wait });
  return request(settings, { method: "GET", path: pathOf(name), query, wait }, reportOf);
}

/** The names of all consumers. */
export function names(settings: Settings): Promise<string[]> {
  const read = (item: Wire) => list(item, "consumers") as unknown as string[];
  return request(settings, { method: "GET", path: "/consumers" }, read);
}

/** Deletes a consumer. */
export function remove(settings: Settings, name: string): Promise<void> {
  return request(settings, { method: "DELETE", path: pathOf(name) }, () => undefined);
}

/** Moves a consumer to a checkpoint. */
export function reset(settings: Settings, name: string, checkpoint: number): Promise<void> {
  return request(settings, post(name, "reset", { checkpoint }), () => undefined);
}

/** The parked streams, page by page. */
export async function* parked(settings: Settings, name: string): AsyncGenerator<Parked> {
  let after: string | undefined;
  do {
    const query = given({ limit: 100, after });
    const asked = { method: "GET", path: pathOf(name, "parked"), query };
    const page = await request(settings, asked, (item: Wire) => ({
      items: list(item, "parked").map(parkedOf),
      next: item.next as string | undefined,
    }));
    yield* page.items;
    after = page.next;
  } while (after !== undefined);
}

/** Retries or skips a parked stream. */
export function operate(
  settings: Settings,
  name: string,
  call: "retry" | "skip",
  body: object,
): Promise<Parked> {
  return request(settings, post(name, call, body), parkedOf);
}
