/** A server for tests, on Node.js: `const server = await serve()`, `new EventStore(server.url)`. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/**
 * A process `ees serve` on a free port of this machine.
 *
 * The binary is the one in `EES_BINARY`, or `ees` in `PATH`. A server that is started anew listens on
 * the same port.
 */
export class Server {
  url = "";
  #port = 0;
  #process: ChildProcess | undefined;

  constructor(private readonly storage: string) {}

  /** Starts the process, and waits until it listens. */
  async start(): Promise<void> {
    const binary = process.env.EES_BINARY ?? "ees";
    const listen = `127.0.0.1:${this.#port}`;
    const child = spawn(binary, ["serve", "--storage", this.storage, "--listen", listen], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const failed = once(child, "error").then(([error]) => {
      throw new Error(`put \`ees\` into PATH, or its path into EES_BINARY: ${error}`);
    });
    const lines = createInterface(child.stdout);
    const said = Promise.race([once(lines, "line"), once(lines, "close").then(() => [""])]);
    const [line] = (await Promise.race([said, failed])) as [string];
    const address = /:\/\/(\S+)\s*$/.exec(line)?.[1];
    if (address === undefined) {
      child.kill("SIGKILL");
      throw new Error(`\`${binary} serve\` did not start: it prints why on standard error`);
    }
    this.#process = child;
    this.url = `http://${address}`;
    this.#port = Number(address.split(":").pop());
  }

  /** Ends the process as a crash does, by SIGKILL. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
}

/** Starts a server. A `storage` such as `sqlite:PATH` outlives `kill` and `start`. */
export async function serve(storage = "memory:"): Promise<Server> {
  const server = new Server(storage);
  await server.start();
  return server;
}
