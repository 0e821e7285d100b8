/** Sets, with a real server that is killed. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { EventStore, SetConflictError } from "../src/index.js";
import { serve } from "../src/testing.js";

const SETS = 160;
const WRITERS = 4;
const STREAMS = 4;
const KILLS = 4;
const retry = { attempts: 100, longestPause: 0.3 };

/** The streams of a set: a pair of neighbours, so that the writers meet. */
const pair = (number: number) =>
  [number, number + 1].map((place) => `account-${place % STREAMS}`);

/** Commits a set of two: after a conflict again, with the same key. */
async function transfer(store: EventStore, number: number): Promise<void> {
  const ends = new Map<string, number>();
  for (;;) {
    const commits = pair(number).map((streamId) => {
      return { streamId, events: [{ number }], expectedLastChangeset: ends.get(streamId) ?? 0 };
    });
    try {
      const set = await store.commitAll(commits, { idempotencyKey: `transfer-${number}` });
      assert.deepEqual(set.commits.map(({ streamId }) => streamId), pair(number));
      return;
    } catch (error) {
      if (!(error instanceof SetConflictError)) throw error;
      for (const { streamId, lastChangeset } of error.conflicts) ends.set(streamId, lastChangeset);
    }
  }
}

/** The sets of the store. The changesets of each stand side by side, as in the request. */
async function stored(url: string): Promise<number[]> {
  const changesets = [];
  for await (const changeset of new EventStore(url, { retry }).readAllChangesets()) {
    changesets.push(changeset);
  }
  const numbers = changesets.map(({ events }) => (events[0] as { number: number }).number);
  const firsts = numbers.filter((_, place) => place % 2 === 0);
  assert.deepEqual(numbers, firsts.flatMap((number) => [number, number]));
  assert.deepEqual(changesets.map(({ streamId }) => streamId), firsts.flatMap(pair));
  return firsts.sort((one, other) => one - other);
}

test("case 96: no set is torn, lost or doubled", { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(`${tmpdir()}/ees-`);
  const server = await serve(`sqlite:${folder}/ees.db`);
  let done = 0;
  const write = async (writer: number) => {
    const store = new EventStore(server.url, { retry });
    for (let number = writer; number < SETS; number += WRITERS) {
      await transfer(store, number);
      done += 1;
    }
  };
  const kill = async () => {
    for (let time = 1; time <= KILLS; time += 1) {
      while (done < (SETS * time) / (KILLS + 1)) await sleep(5);
      await server.kill();
      await server.start();
      // Whatever was being written is there as a whole, or not at all.
      const acknowledged = done;
      assert.ok((await stored(server.url)).length >= acknowledged);
    }
  };
  try {
    await Promise.all([kill(), ...Array.from({ length: WRITERS }, (_, writer) => write(writer))]);
    assert.deepEqual(await stored(server.url), Array.from({ length: SETS }, (_, number) => number));
  } finally {
    await server.kill();
    rmSync(folder, { recursive: true });
  }
});

test("a check, and a stream that ends too early", async () => {
  const server = await serve();
  try {
    const store = new EventStore(server.url);
    await store.commit("limits", [{ orders: 100 }]);
    const commits = [{ streamId: "order-1", events: ["accepted"], metadata: { by: "ann" } }];
    const conflicts = async (expectedLastChangeset: number) => {
      const checks = [{ streamId: "limits", expectedLastChangeset }];
      const error: unknown = await store.commitAll(commits, { checks }).catch((error) => error);
      assert.ok(error instanceof SetConflictError, String(error));
      return [error.status, error.conflicts.map((found) => [found.streamId, found.lastChangeset])];
    };
    assert.deepEqual(await conflicts(0), [409, [["limits", 1]]]);
    assert.deepEqual(await conflicts(2), [400, [["limits", 1]]]);
    const checks = [{ streamId: "limits", expectedLastEvent: 1 }];
    const set = await store.commitAll(commits, { checks });
    assert.deepEqual([set.replayed, set.commits[0]!.changesetId], [false, 1]);
  } finally {
    await server.kill();
  }
});
