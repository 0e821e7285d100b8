/** How many events `follow` delivers a second, from a store of SQLite: `npm run bench`. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";

import { EventStore } from "../src/index.js";
import { serve } from "../src/testing.js";

const CHANGESETS = 20_000;
const EVENTS = 3;
const ROUNDS = 5;
const WRITERS = 32;
const EVENT = { type: "paid", cents: 1250, by: "x".repeat(60) };

/** Commits changesets of three events of about 100 bytes to 1,000 streams. */
async function fill(store: EventStore): Promise<void> {
  const write = async (writer: number) => {
    for (let number = writer; number < CHANGESETS; number += WRITERS) {
      // A writer has streams of its own.
      const expectedLastChangeset = Math.floor(number / 992);
      const events = Array(EVENTS).fill({ ...EVENT, number });
      await store.commit(`order-${number % 992}`, events, { expectedLastChangeset });
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
}

async function measure(name: string, feed: () => AsyncIterable<unknown>, total: number) {
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const begun = performance.now();
    let count = 0;
    for await (const _ of feed()) {
      count += 1;
      if (count === total) break;
    }
    rates.push(Math.round((CHANGESETS * EVENTS * 1000) / (performance.now() - begun)));
  }
  rates.sort((one, other) => one - other);
  const [middle, least, most] = [rates[ROUNDS >> 1], rates[0], rates.at(-1)];
  console.log(`${name}: ${middle} events a second (${least} to ${most})`);
}

const folder = mkdtempSync(`${tmpdir()}/ees-`);
const server = await serve(`sqlite:${folder}/ees.db`);
try {
  const store = new EventStore(server.url);
  await fill(store);
  await measure("follow", () => store.follow(), CHANGESETS);
  await measure("followEvents", () => store.followEvents(), CHANGESETS * EVENTS);
} finally {
  await server.kill();
  rmSync(folder, { recursive: true });
}
