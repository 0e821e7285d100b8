/** The README's code, as it stands there, and the package. */

import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

import { EventStore } from "../src/index.js";
import { serve } from "../src/testing.js";
import { CLIENTS } from "./playing.js";

const PACKAGE = `${CLIENTS}/typescript`;
const run = promisify(execFile);

/** A folder within the package, so that its programs find the package by its name. */
function programs(): string {
  mkdirSync(`${PACKAGE}/build/readme`, { recursive: true });
  const folder = mkdtempSync(`${PACKAGE}/build/readme/`);
  const text = readFileSync(`${PACKAGE}/README.md`, "utf8");
  for (const [, code] of text.matchAll(/```js\n(.*?)```/gs)) {
    const name = code!.split("\n")[0]!.replace("// ", "").split(" ")[0];
    writeFileSync(`${folder}/${name}`, code!);
  }
  return folder;
}

function totals(folder: string): Record<string, number> {
  const file = `${folder}/totals.json`;
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).totals : {};
}

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 120_000;
  while (!condition()) {
    assert.ok(performance.now() < end);
    await sleep(10);
  }
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

test("case 94: the README runs", async () => {
  const folder = programs();
  const server = await serve(`sqlite:${folder}/ees.db`);
  const options = { cwd: folder, env: { ...process.env, EES_URL: server.url } };
  const start = (file: string) =>
    spawn(process.execPath, [file], { ...options, stdio: ["ignore", "pipe", "inherit"] });
  try {
    for (const command of [
      ["order-17", "250", "command-1"],
      ["order-17", "100", "command-2"],
      ["order-17", "100", "command-2"],
      ["order-17", "900", "too-much"],
    ]) {
      await run(process.execPath, ["pay.mjs", ...command], options);
    }
    let projection = start("totals.mjs");
    await until(() => totals(folder)["order-17"] === 350);
    for (const number of [0, 1, 2]) {
      const store = new EventStore(server.url);
      const paid = [1, 2].map(() => ({ type: "paid", cents: 1 }));
      for (const expectedLastChangeset of [0, 1, 2, 3, 4]) {
        await store.commit(`order-${number}`, paid, { expectedLastChangeset });
      }
      // At whatever it does: reading, writing, or nothing.
      await end(projection);
      await server.kill();
      await server.start();
      projection = start("totals.mjs");
    }
    const expected = { "order-17": 350, "order-0": 10, "order-1": 10, "order-2": 10 };
    const sum = (found: Record<string, number>) =>
      Object.values(found).reduce((one, other) => one + other, 0);
    await until(() => sum(totals(folder)) >= sum(expected));
    assert.deepEqual(totals(folder), expected);
    for (const [cents, command] of [["100", "move-1"], ["100", "move-1"], ["300", "too-much"]]) {
      const move = ["move.mjs", "order-17", "order-0", cents!, command!];
      await run(process.execPath, move, options);
    }
    await until(() => totals(folder)["order-0"] === 110);
    assert.deepEqual(totals(folder), { ...expected, "order-17": 250, "order-0": 110 });
    await end(projection);

    const bills = start("bills.mjs");
    const billed: string[] = [];
    for await (const line of createInterface(bills.stdout)) {
      if (billed.push(line.split(" ")[0]!) === 19) break;
    }
    assert.equal(billed.filter((order) => order === "order-17").length, 3);
    await end(bills);
    const env = { ...process.env };
    // This test's own runner must not be taken for the other one's.
    delete env.NODE_TEST_CONTEXT;
    await run(process.execPath, ["--test", "pay.test.mjs"], { cwd: folder, env });
  } finally {
    await server.kill();
    rmSync(folder, { recursive: true });
  }
});

test("the package can be published", async () => {
  const command = ["pack", "--json", "--dry-run", "--ignore-scripts"];
  const { stdout } = await run("npm", command, { cwd: PACKAGE });
  const packed = JSON.parse(stdout);
  const { files } = Array.isArray(packed) ? packed[0] : (Object.values(packed)[0] as any);
  const paths: string[] = files.map((file: { path: string }) => file.path);
  for (const path of ["README.md", "build/src/index.js", "build/src/index.d.ts", "build/src/testing.js"]) {
    assert.ok(paths.includes(path), path);
  }
  assert.ok(!paths.some((path) => /test\/|bench\//.test(path)), paths.join());
});
