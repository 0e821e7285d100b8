/** An order service: commands over HTTP, and a read model of what is open. */

import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Changeset, ConflictError, EventStore, KeyReusedError, StreamNotFoundError } from "ees-client";

type OrderEvent = { type: "placed" | "paid"; cents: number };
type Command = { stream: string; command_id: string; kind: "place" | "pay"; cents: number };

const store = new EventStore(process.env.EES_URL ?? "http://127.0.0.1:8080");
const change = ({ type, cents }: OrderEvent) => (type === "placed" ? cents : -cents);
const sum = ({ events }: Changeset) => (events as OrderEvent[]).map(change).reduce((a, b) => a + b);

/** The aggregate: what was decided so far. */
class Order {
  last = 0;
  open: number | undefined;
  readonly commands = new Set<string | undefined>();

  apply(changeset: Changeset): void {
    this.last = changeset.changesetId;
    this.commands.add(changeset.idempotencyKey);
    this.open = (this.open ?? 0) + sum(changeset);
  }

  decide({ kind, cents }: Command): OrderEvent[] {
    if (kind === "place" && this.open === undefined) return [{ type: "placed", cents }];
    const isOpen = this.open !== undefined && 0 < cents && cents <= this.open;
    if (kind === "pay" && isOpen) return [{ type: "paid", cents }];
    throw new RangeError(`cannot ${kind} ${cents}: ${this.open} is open`);
  }
}

/** Loads, decides and commits. A command that was executed before is done. */
async function execute(command: Command): Promise<void> {
  const order = new Order();
  try {
    const stored = store.readChangesets(command.stream, { details: true });
    for await (const changeset of stored) order.apply(changeset);
  } catch (error) {
    if (!(error instanceof StreamNotFoundError)) throw error; // It is a new order.
  }
  while (!order.commands.has(command.command_id)) {
    const options = { expectedLastChangeset: order.last, idempotencyKey: command.command_id };
    try {
      await store.commit(command.stream, order.decide(command), options);
      return;
    } catch (error) {
      if (error instanceof KeyReusedError) return; // Another instance has executed it.
      if (!(error instanceof ConflictError)) throw error;
      for (const changeset of error.forthcoming) order.apply(changeset);
    }
  }
}

/** What is open, with the last changeset of each order: a repeat changes nothing. */
type Rows = Record<string, { last: number; open: number }>;
const rows: Rows = existsSync("orders.json") ? JSON.parse(readFileSync("orders.json", "utf8")) : {};

function project(changeset: Changeset): void {
  const { last, open } = rows[changeset.streamId] ?? { last: 0, open: 0 };
  if (changeset.changesetId <= last) return;
  rows[changeset.streamId] = { last: changeset.changesetId, open: open + sum(changeset) };
  writeFileSync("orders.json.new", JSON.stringify(rows)); // A service has a database here.
  renameSync("orders.json.new", "orders.json");
}

const web = createServer(async (request, response) => {
  const answer = (status: number, body: object) => response.writeHead(status).end(JSON.stringify(body));
  const open = Object.entries(rows).filter(([, row]) => row.open > 0);
  if (request.method === "GET") return answer(200, Object.fromEntries(open.map(([id, row]) => [id, row.open])));
  const body = Buffer.concat(await request.toArray()).toString();
  const failed = (error: Error) => answer(error instanceof RangeError ? 409 : 503, { error: error.message });
  await execute(JSON.parse(body)).then(() => answer(200, {}), failed);
});
await store.defineConsumer("open-orders", { streamPrefixes: ["order-"], leaseSeconds: 5 });
web.listen(Number(process.argv[2]), "127.0.0.1", () => console.log(`http://127.0.0.1:${(web.address() as AddressInfo).port}`));
await store.consume("open-orders", project);
