/** One request by `fetch`. */

import type { Settings } from "./settings.js";

/** A request. */
export interface Send {
  method: string;
  path: string;
  query?: [string, string][];
  headers?: Record<string, string>;
  body?: string;
  /** For how many seconds the server may wait before it answers. */
  wait?: number;
  signal?: AbortSignal | undefined;
}

/** A complete answer. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

/** No answer, or half of one. */
export class Lost {
  /** `sent`: whether the server may have received the request. */
  constructor(readonly reason: string, readonly sent: boolean) {}
}

/** An event stream that is open. */
export interface EventStream {
  headers: Headers;
  /** The next bytes; nothing at its end, however it came. */
  read(): Promise<Uint8Array | undefined>;
  close(): void;
}

/** A silent event stream sends a comment every 15 seconds. */
const STALLED = 45;

/** Aborts a request after a silence, or when the caller says so. */
class Watch {
  readonly #controller = new AbortController();
  readonly signal = this.#controller.signal;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #forward = () => this.abort("the caller has stopped it");

  constructor(private readonly caller?: AbortSignal) {
    if (caller?.aborted) this.#forward();
    caller?.addEventListener("abort", this.#forward);
  }

  within(seconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.abort(`no answer within ${seconds} seconds`), seconds * 1000);
  }

  pause(): void {
    clearTimeout(this.#timer);
  }

  abort(reason: string): void {
    this.#controller.abort(new Error(reason));
  }

  end(): void {
    this.pause();
    this.caller?.removeEventListener("abort", this.#forward);
  }
}

/** Whether a body has this media type. */
export function hasType(headers: Headers, type: string): boolean {
  return (headers.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase() === type;
}

/** Sends a request, and reads its answer. */
export async function send(settings: Settings, request: Send): Promise<Answer | Lost> {
  const answer = await open(settings, request, false);
  return answer as Answer | Lost;
}

/** Sends a request. An event stream that comes is left open. */
export async function open(
  settings: Settings,
  request: Send,
  streamed = true,
): Promise<Answer | Lost | EventStream> {
  const watch = new Watch(request.signal);
  let isOpen = false;
  try {
    watch.within(settings.timeout + (request.wait ?? 0));
    const response = await settings.fetch(address(settings, request), {
      method: request.method,
      headers: { ...settings.headers, ...request.headers },
      body: request.body ?? null,
      signal: watch.signal,
      // A commit that is redirected would become a read.
      redirect: "manual",
      cache: "no-store",
    });
    const { status, headers, body } = response;
    if (streamed && status === 200 && body && hasType(headers, "text/event-stream")) {
      isOpen = true;
      return eventStream(headers, body.getReader(), watch);
    }
    return { status, headers, text: await response.text() };
  } catch (error) {
    request.signal?.throwIfAborted();
    return lost(error);
  } finally {
    if (!isOpen) watch.end();
  }
}

function eventStream(
  headers: Headers,
  reader: ReadableStreamDefaultReader<Uint8Array>,
  watch: Watch,
): EventStream {
  return {
    headers,
    async read() {
      watch.within(STALLED);
      try {
        return (await reader.read()).value;
      } catch {
        return undefined;
      } finally {
        // How long the caller takes does not count.
        watch.pause();
      }
    },
    close() {
      watch.end();
      watch.abort("the stream is not read any more");
    },
  };
}

function address(settings: Settings, request: Send): string {
  const query = new URLSearchParams(request.query ?? []).toString();
  return settings.url + request.path + (query && `?${query}`);
}

/** The errors of Node.js before a request is sent. Elsewhere it cannot be known. */
const UNSENT = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

function lost(error: unknown): Lost {
  const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  const detail = cause?.code ?? cause?.message;
  return new Lost(detail ? `${message} (${detail})` : message, !UNSENT.has(cause?.code ?? ""));
}
