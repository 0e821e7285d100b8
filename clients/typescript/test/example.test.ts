/** examples/orders-typescript, while the service and the server are killed. */

import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

import { EventStore } from "../src/index.js";
import { serve } from "../src/testing.js";
import { CLIENTS } from "./playing.js";

const PACKAGE = `${CLIENTS}/typescript`;
const EXAMPLE = `${CLIENTS}/../examples/orders-typescript`;

/** The service as a process. */
class Service {
  url = "";
  #process: ChildProcess | undefined;

  constructor(private readonly folder: string, private readonly store: string) {}

  async start(): Promise<void> {
    const env = { ...process.env, EES_URL: this.store };
    const command = [`${this.folder}/service.js`, "0"];
    const stdio: ["ignore", "pipe", "inherit"] = ["ignore", "pipe", "inherit"];
    const child = spawn(process.execPath, command, { cwd: this.folder, env, stdio });
    [this.url] = (await once(createInterface(child.stdout), "line")) as [string];
    this.#process = child;
  }

  async kill(): Promise<void> {
    const child = this.#process!;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  async send(command: object): Promise<number> {
    const answer = await fetch(this.url, { method: "POST", body: JSON.stringify(command) });
    await answer.text();
    return answer.status;
  }

  async open(): Promise<unknown> {
    return (await fetch(this.url)).json();
  }
}

test("commands are executed once", async () => {
  // Within the package, so that the service finds it by its name.
  const folder = `${PACKAGE}/build/example`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const tsc = `${PACKAGE}/node_modules/.bin/tsc`;
  await promisify(execFile)(tsc, ["-p", EXAMPLE, "--outDir", folder]);

  const kinds = [["place", 500], ["pay", 200], ["pay", 100]] as const;
  const commands = kinds.flatMap(([kind, cents], number) =>
    [0, 1, 2, 3].map((order) => {
      return { stream: `order-${order}`, command_id: `${order}-${number}`, kind, cents };
    }),
  );
  const server = await serve(`sqlite:${folder}/ees.db`);
  const service = new Service(folder, server.url);
  try {
    await service.start();
    for (const [number, command] of commands.entries()) {
      // Each command is sent twice, as by an impatient user.
      for (const _ of [1, 2]) assert.equal(await service.send(command), 200);
      if (number % 4 === 1) {
        await service.kill();
        await service.start();
      }
      if (number % 4 === 3) {
        await server.kill();
        await server.start();
      }
    }
    const tooMuch = { ...commands.at(-1), command_id: "x", cents: 201 };
    assert.equal(await service.send(tooMuch), 409);
    const stored: string[] = [];
    for await (const { streamId } of new EventStore(server.url).readAllChangesets()) {
      stored.push(streamId);
    }
    assert.equal(stored.length, commands.length);
    const expected = { "order-0": 200, "order-1": 200, "order-2": 200, "order-3": 200 };
    const end = performance.now() + 60_000;
    for (;;) {
      const found = await service.open();
      if (JSON.stringify(found) === JSON.stringify(expected)) break;
      assert.ok(performance.now() < end, JSON.stringify(found));
      await sleep(50);
    }
  } finally {
    await service.kill();
    await server.kill();
  }
});
