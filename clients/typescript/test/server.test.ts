/** The cases of clients/cases.md with a real server. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { type Changeset, ConflictError, EventStore, OtherStoreError } from "../src/index.js";
import { serve, type Server } from "../src/testing.js";

const COMMANDS = 240;
const WRITERS = 6;
const STREAMS = 5;
const KILLS = 4;
const retry = { attempts: 100, longestPause: 0.3 };

/** Executes a command: after a conflict it decides anew, with the same key. */
async function execute(store: EventStore, command: number): Promise<void> {
  let expectedLastChangeset = 0;
  for (;;) {
    const idempotencyKey = `command-${command}`;
    const options = { expectedLastChangeset, idempotencyKey };
    try {
      await store.commit(`order-${command % STREAMS}`, [{ command }], options);
      return;
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      expectedLastChangeset = error.lastChangeset;
    }
  }
}

describe("under SIGKILL", { timeout: 120_000 }, () => {
  const folder = mkdtempSync(`${tmpdir()}/ees-`);
  const followed: Changeset[] = [];
  const handled: Changeset[] = [];
  let server: Server;
  let done = 0;

  async function write(number: number): Promise<void> {
    const store = new EventStore(server.url, { retry });
    for (let command = number; command < COMMANDS; command += WRITERS) {
      await execute(store, command);
      done += 1;
    }
  }

  async function kill(): Promise<void> {
    for (let number = 1; number <= KILLS; number += 1) {
      while (done < (COMMANDS * number) / (KILLS + 1)) await sleep(5);
      await server.kill();
      await server.start();
    }
  }

  async function follow(store: EventStore): Promise<void> {
    for await (const changeset of store.follow()) {
      followed.push(changeset);
      if (followed.length === COMMANDS) return;
    }
  }

  async function consume(store: EventStore): Promise<void> {
    const stop = new AbortController();
    const seen = new Set<string>();
    const handle = (changeset: Changeset) => {
      handled.push(changeset);
      seen.add(`${changeset.streamId}/${changeset.changesetId}`);
      if (seen.size === COMMANDS) stop.abort();
    };
    await store.consume("all", handle, { wait: 1, concurrency: 2, signal: stop.signal });
  }

  before(async () => {
    server = await serve(`sqlite:${folder}/ees.db`);
    const store = new EventStore(server.url, { retry });
    await store.defineConsumer("all", { partitions: 2, leaseSeconds: 5 });
    const writers = Array.from({ length: WRITERS }, (_, number) => write(number));
    await Promise.all([follow(store), consume(store), kill(), ...writers]);
  });
  after(async () => {
    await server.kill();
    rmSync(folder, { recursive: true });
  });

  test("case 90: no commit is lost or doubled", async () => {
    const stored: number[] = [];
    for await (const { events } of new EventStore(server.url).readAllChangesets()) {
      stored.push((events[0] as { command: number }).command);
    }
    stored.sort((one, other) => one - other);
    assert.deepEqual(stored, Array.from({ length: COMMANDS }, (_, command) => command));
  });

  test("case 91: each changeset is followed once", () => {
    const checkpoints = followed.map((changeset) => changeset.checkpoint);
    assert.deepEqual(checkpoints, Array.from({ length: COMMANDS }, (_, checkpoint) => checkpoint));
  });

  test("case 92: each changeset is handled in order", () => {
    const effects = new Map<string, number>();
    for (const { streamId, changesetId } of handled) {
      const last = effects.get(streamId) ?? 0;
      // A batch that is handed out again begins with something that was handled.
      assert.ok(changesetId <= last + 1);
      effects.set(streamId, Math.max(last, changesetId));
    }
    assert.equal([...effects.values()].reduce((one, other) => one + other), COMMANDS);
  });
});

test("case 93: another store behind the address", async () => {
  const server = await serve();
  try {
    const store = new EventStore(server.url, { retry });
    await store.commit("order-1", [1]);
    const feed = store.follow();
    assert.equal((await feed.next()).value.streamId, "order-1");
    await server.kill();
    await server.start();
    const isOther = (error: unknown) =>
      error instanceof OtherStoreError && error.sameBelow === undefined;
    await assert.rejects(feed.next(), isOther);
  } finally {
    await server.kill();
  }
});

test("case 95: half of a lease is over", async () => {
  const server = await serve();
  try {
    const store = new EventStore(server.url);
    for (const number of [0, 1, 2]) {
      await store.commit("order-1", [number], { expectedLastChangeset: number });
    }
    await store.defineConsumer("slow", { leaseSeconds: 5 });
    const handled: number[] = [];
    const generations = new Set<number>();
    const stop = new AbortController();
    const handle = async ({ changesetId }: Changeset) => {
      generations.add((await store.consumer("slow")).partitions[0]!.generation);
      handled.push(changesetId);
      // Longer than half of the lease.
      if (handled.length === 1) await sleep(2600);
      if (handled.length === 3) stop.abort();
    };
    await store.consume("slow", handle, { signal: stop.signal });
    assert.deepEqual(handled, [1, 2, 3]);
    assert.ok(generations.size >= 2);
    assert.equal((await store.consumer("slow")).lag.changesets, 0);
  } finally {
    await server.kill();
  }
});

test("events, reports and the parser of the caller", async () => {
  const server = await serve();
  try {
    const parse = (text: string) => JSON.parse(text.replace(/:(\d{17,})/g, ':"$1"'));
    const store = new EventStore(server.url, { parse });
    const committed = await store.commit("order-1", [{ type: "paid" }]);
    for await (const event of store.readEvents("order-1", { details: true })) {
      assert.deepEqual([event.changesetId, event.timestamp], [1, committed.timestamp]);
    }
    const report = await store.defineConsumer("billing", { partitions: 2 });
    assert.deepEqual([report.name, report.lag.changesets], ["billing", 1]);
    assert.equal(report.definition.leaseSeconds, 30);
    assert.deepEqual(await store.consumers(), ["billing"]);
    const body = '{"events":[{"id":12345678901234567890}]}';
    await fetch(`${server.url}/streams/order-2`, { method: "POST", body });
    for await (const event of store.readEvents("order-2")) {
      assert.deepEqual(event.data, { id: "12345678901234567890" });
    }
  } finally {
    await server.kill();
  }
});
