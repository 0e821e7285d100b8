/** Plays a case of clients/cases: calls the client, and compares what happened. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { EesError, EventStore, type Changeset } from "../src/index.js";
import { snake } from "../src/wire.js";

type Any = Record<string, any>;

/** The folder `clients`; this file is in `clients/typescript/build/test`. */
export const CLIENTS = fileURLToPath(new URL("../../..", import.meta.url));

/** The sentence of each number in cases.md. */
export function titles(): Map<number, string> {
  const text = readFileSync(`${CLIENTS}/cases.md`, "utf8");
  const found = text.matchAll(/^(\d+)\. (.+(?:\n    .+)*)/gm);
  return new Map([...found].map(([, number, title]) => [Number(number), title!.replace(/\s+/g, " ")]));
}

/** All cases that are played. */
export function cases(): Any[] {
  const files = readdirSync(`${CLIENTS}/cases`).sort();
  return files.flatMap((file) => JSON.parse(readFileSync(`${CLIENTS}/cases/${file}`, "utf8")));
}

/** The scripted server. */
export class Scripted {
  private constructor(
    private readonly url: string,
    readonly close: () => void,
  ) {}

  static async start(): Promise<Scripted> {
    const command = [`${CLIENTS}/scripted-server.py`];
    const child = spawn("python3", command, { stdio: ["pipe", "pipe", "inherit"] });
    const [url] = await once(createInterface(child.stdout), "line");
    return new Scripted(url, () => child.kill());
  }

  /** Puts a script, and returns the URL where it is played. */
  async put(name: string, answers: unknown[]): Promise<string> {
    await this.#control("PUT", name, JSON.stringify(answers));
    return `${this.url}/${name}`;
  }

  /** The requests to a script. */
  async requests(name: string): Promise<Any[]> {
    return JSON.parse(await this.#control("GET", name));
  }

  /** A connection of its own: the script may close any that the client has. */
  async #control(method: string, name: string, body = ""): Promise<string> {
    const asked = request(`${this.url}/_scripts/${name}`, { method, agent: false });
    asked.end(body);
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    return Buffer.concat(await answer.toArray()).toString();
  }
}

const QUICK = { attempts: 4, firstPause: 0.01, longestPause: 0.05 };

/** How this library names what the cases name otherwise. */
const NAMES: Record<string, string> = { fromId: "from", toId: "to", start: "from" };

function renamed(item: Any): Any {
  const entries = Object.entries(item).map(([name, value]) => {
    const camel = name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
    return [NAMES[camel] ?? camel, value];
  });
  return Object.fromEntries(entries);
}

/** What came of the calls of a case. */
class Outcome {
  answer: any;
  items: any[] = [];
  batches: any[] = [];
  handled: (number | undefined)[] = [];
  error: unknown;
  readonly stop = new AbortController();

  constructor(readonly example: Any) {}

  /** The arguments of the call: what is named first in the call, and the options. */
  *arguments(): Generator<unknown> {
    const all: Any = renamed(this.example.arguments);
    if (all.filter) all.filter = renamed(all.filter);
    for (const part of ["commits", "checks"]) if (all[part]) all[part] = all[part].map(renamed);
    const { commits, streamId, events, name, throughChangeset, ...options } = all;
    for (const first of [commits, streamId, events, name]) if (first !== undefined) yield first;
    if (this.example.call === "skip_parked") return yield throughChangeset;
    if (this.example.call === "retry_parked") return yield streamId;
    if (this.example.call === "reset_consumer") return yield options.checkpoint;
    if (this.example.call === "consume") yield (changeset: Changeset) => this.handle(changeset);
    if (this.example.stop_after !== undefined) options.signal = this.stop.signal;
    if (Object.keys(options).length > 0) yield options;
  }

  handle(changeset: Changeset): void {
    this.handled.push(changeset.checkpoint);
    if (this.handled.length === this.example.stop_after) this.stop.abort();
    if ((this.example.fail ?? []).includes(changeset.checkpoint)) {
      throw new Error("the handler fails");
    }
  }

  /** Takes what a loop gives. Returns whether it was enough. */
  take(item: any): boolean {
    if (this.example.call.includes("batches")) {
      this.batches.push(item);
      this.items.push(...(item.events ?? item.changesets));
    } else {
      this.items.push(item);
    }
    if (this.items.length >= (this.example.stop_after ?? Infinity)) this.stop.abort();
    return this.items.length >= (this.example.take ?? Infinity);
  }
}

/** Plays a case, and compares what happened with what it expects. */
export async function play(scripted: Scripted, example: Any, script: string): Promise<void> {
  const put = await scripted.put(script, example.answers);
  // Nobody listens on this port; `fetch` refuses that of the discard service.
  const url = example.unreachable ? "http://127.0.0.1:2" : put;
  const store: any = new EventStore(url, { retry: QUICK, ...renamed(example.client ?? {}) });
  const outcome = new Outcome(example);
  const call = renamed({ [example.call]: 0 });
  try {
    for (let time = 0; time < (example.times ?? 1); time += 1) {
      const result = store[Object.keys(call)[0]!](...argumentsOf(outcome));
      if (Symbol.asyncIterator in result) {
        for await (const item of result) if (outcome.take(item)) break;
      } else {
        outcome.answer = await result;
      }
    }
  } catch (error) {
    if (!(error instanceof EesError || error instanceof RangeError)) throw error;
    outcome.error = error;
  }
  check(outcome, await scripted.requests(script));
}

function argumentsOf(outcome: Outcome): unknown[] {
  const { call, arguments: all } = outcome.example;
  // Here the name of the consumer comes first.
  if (call === "retry_parked") return [all.name, all.stream_id];
  if (call === "skip_parked") return [all.name, all.stream_id, all.through_changeset];
  return [...outcome.arguments()];
}

/** Whether something has what is expected; objects may have more. */
function like(actual: any, expected: any): boolean {
  if (typeof expected === "string" && expected.startsWith("~")) {
    return String(actual).includes(expected.slice(1));
  }
  if (Array.isArray(expected)) {
    const same = Array.isArray(actual) && actual.length === expected.length;
    return same && expected.every((item, index) => like(actual[index], item));
  }
  if (typeof expected === "object" && expected !== null) {
    const have = { ...(actual ?? {}), ...snake(actual ?? {}) };
    return Object.entries(expected).every(([name, value]) => like(have[name], value));
  }
  return (actual ?? null) === expected;
}

function assertLike(actual: any, expected: any): void {
  const text = () => `${JSON.stringify(actual)} is not like ${JSON.stringify(expected)}`;
  assert.ok(like(actual, expected), text());
}

function check(outcome: Outcome, requests: Any[]): void {
  const { expect } = outcome.example;
  checkError(outcome.error, expect, requests);
  if ("answer" in expect) assertLike(outcome.answer, expect.answer);
  if ("items" in expect) assertLike(outcome.items, expect.items);
  const handled = expect.unordered ? outcome.handled.sort() : outcome.handled;
  if ("handled" in expect) assert.deepEqual(handled, expect.handled);
  const last = outcome.batches.at(-1);
  if ("next_checkpoint" in expect) assert.equal(last.nextCheckpoint, expect.next_checkpoint);
  if ("next_checkpoints" in expect) {
    const found = outcome.batches.map((batch) => batch.nextCheckpoint);
    assert.deepEqual(found, expect.next_checkpoints);
  }
  if ("store" in expect) assert.equal(last.store, expect.store);
  checkRequests(expect, requests);
}

function checkError(error: any, expect: Any, requests: Any[]): void {
  if (!expect.error) return assert.equal(error, undefined, String(error));
  const { type, message = "", ...fields } = expect.error;
  assert.equal(error instanceof RangeError ? "refused" : error?.kind, type, String(error));
  assert.ok(error.message.replaceAll('\\"', '"').includes(message), error.message);
  assertLike(error, fields);
  if (expect.error_has_key) {
    assert.ok(error.idempotencyKey && error.message.includes(error.idempotencyKey));
    for (const { headers } of requests) assert.equal(headers["idempotency-key"], error.idempotencyKey);
  }
}

function checkRequests(expect: Any, requests: Any[]): void {
  if ("tries" in expect) assert.equal(requests.length, expect.tries);
  assert.ok(requests.length >= (expect.tries_at_least ?? 0));
  const value = (request: Any, name: string) =>
    JSON.stringify(name in request ? request[name] : request.headers[name]);
  for (const name of expect.same ?? []) {
    assert.equal(new Set(requests.map((request) => value(request, name))).size, 1, name);
  }
  for (const name of expect.distinct ?? []) {
    assert.equal(new Set(requests.map((request) => value(request, name))).size, requests.length);
  }
  for (const [number, gap] of (expect.gaps ?? []).entries()) {
    assert.ok(requests[number + 1]!.at - requests[number]!.at >= gap);
  }
  if ("workers" in expect) {
    const claims = requests.filter(({ path }) => path.endsWith("claim"));
    const workers = new Set(claims.map(({ body }) => JSON.parse(body).worker));
    assert.deepEqual([...workers].sort(), expect.workers);
  }
  if ("requests" in expect) {
    // A slow machine may ask once more.
    const sent = expect.more ? requests.slice(0, expect.requests.length) : requests;
    assert.equal(sent.length, expect.requests.length, JSON.stringify(requests));
    expect.requests.forEach((expected: Any, number: number) =>
      checkRequest(sent[number]!, expected),
    );
  }
}

function checkRequest(request: Any, expected: Any): void {
  for (const name of ["method", "path", "raw_path"]) {
    assert.equal(request[name], expected[name] ?? request[name]);
  }
  for (const [name, value] of Object.entries(expected.headers ?? {})) {
    assert.equal(request.headers[name], value);
  }
  if ("query" in expected) {
    const query: Record<string, string[]> = {};
    for (const [name, value] of request.query) (query[name] ??= []).push(value);
    assert.deepEqual(query, expected.query);
  }
  if ("json" in expected) {
    const body = JSON.parse(request.body);
    assertLike(body, expected.json);
    assert.deepEqual(Object.keys(body).sort(), Object.keys(expected.json).sort());
  }
}
