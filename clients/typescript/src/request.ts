/** One request, repeated while that can help. */

import {
  apiError,
  type EesError,
  OtherStoreError,
  REPEATABLE,
  TransportError,
  UnavailableError,
  UnexpectedAnswerError,
} from "./errors.js";
import { type Answer, hasType, Lost, type Send, send } from "./http.js";
import { pauseAfter, type Settings, sleep } from "./settings.js";
import { NotAsDescribed } from "./wire.js";

/** How a request is judged. */
export interface Judging {
  /** The idempotency key of a commit, whose errors tell the outcome. */
  key?: string;
  /** The id of the store that must answer. */
  store?: string | undefined;
  /** For loops without an end. */
  forever?: boolean;
}

/** Sends a request until it has an answer that counts, and reads that. */
export async function request<T>(
  settings: Settings,
  asked: Send,
  read: (body: any, answer: Answer) => T,
  judging: Judging = {},
): Promise<T> {
  const { attempts, longestRetryAfter } = settings.retry;
  let nothingWritten = true;
  for (let failures = 1; ; failures += 1) {
    const answer = await send(settings, asked);
    try {
      return result(settings, answer, read, judging.store ?? settings.store);
    } catch (error) {
      if (!(error instanceof TransportError || error instanceof UnavailableError)) throw error;
      if (error.outcome === "unknown") nothingWritten = false;
      error.outcome = nothingWritten ? "none" : "unknown";
      error.idempotencyKey = judging.key;
      const retryAfter = error instanceof UnavailableError ? error.retryAfter : undefined;
      const given = retryAfter ?? 0;
      if (!judging.forever && (failures >= attempts || given > longestRetryAfter)) {
        throw withAdvice(error, failures);
      }
      const pause = pauseAfter(settings.retry, failures, retryAfter);
      settings.onRetry?.(error, pause);
      await sleep(pause, asked.signal);
      asked.signal?.throwIfAborted();
    }
  }
}

/** The same error; its message tells the tries, and what to do about a commit. */
function withAdvice(error: TransportError | UnavailableError, tries: number): EesError {
  error.message += ` (tried ${tries} times)`;
  if (error.idempotencyKey !== undefined) {
    const written = error.outcome === "none" ? "nothing was written" : "it may be written";
    error.message += `; ${written}: repeat it with idempotencyKey ${error.idempotencyKey}`;
  }
  return error;
}

function result<T>(
  settings: Settings,
  answer: Answer | Lost,
  read: (body: any, answer: Answer) => T,
  store: string | undefined,
): T {
  if (answer instanceof Lost) {
    throw new TransportError(`no complete answer: ${answer.reason}`, answer.sent ? "unknown" : "none");
  }
  if (![200, 201, 204].includes(answer.status)) throw errorOf(answer, store);
  checkStore(answer.headers, store);
  let body: unknown;
  try {
    body = answer.status === 204 ? undefined : settings.parse(answer.text);
  } catch {
    // JSON that does not end is an answer that was cut off.
    if (hasType(answer.headers, "application/json")) {
      throw new TransportError("no complete answer: its JSON is cut off");
    }
    throw unexpected(answer);
  }
  try {
    return read(body, answer);
  } catch (error) {
    throw error instanceof NotAsDescribed ? unexpected(answer) : error;
  }
}

/** The error that an answer tells. */
export function errorOf(answer: Answer, store: string | undefined): EesError {
  const requestId = answer.headers.get("x-request-id") ?? undefined;
  let body = errorBody(answer.text);
  if (body === undefined) {
    if (!REPEATABLE.has(answer.status)) return unexpected(answer);
    const beginning = JSON.stringify(answer.text.slice(0, 200));
    const message = `answered by something in front of the store: ${beginning}`;
    // Who throttles has not passed the request on.
    const outcome = answer.status === 429 ? "none" : "unknown";
    body = { error: `HTTP_${answer.status}`, message, outcome };
  }
  const error = apiError(answer.status, body, requestId);
  if (error instanceof OtherStoreError) return error;
  checkStore(answer.headers, store);
  if (error instanceof UnavailableError) error.retryAfter = seconds(answer.headers);
  return error;
}

function errorBody(text: string): Record<string, any> | undefined {
  try {
    const body = JSON.parse(text);
    return typeof body?.error === "string" ? body : undefined;
  } catch {
    return undefined;
  }
}

/** Throws if another store has answered. A store that is not open yet does not tell its id. */
export function checkStore(headers: Headers, store: string | undefined): void {
  const answered = headers.get("ees-store");
  if (store === undefined || answered === null || answered === store) return;
  const message = `store ${answered} answered, but the checkpoint or the client belongs to ${store}`;
  const body = { error: "OTHER_STORE", message, store: answered, asked: store };
  throw new OtherStoreError(409, body, headers.get("x-request-id") ?? undefined);
}

/** The error for an answer that no event store gives. */
export function unexpected(answer: Answer): UnexpectedAnswerError {
  const beginning = answer.text.slice(0, 200);
  const location = answer.headers.get("location");
  const hint = location
    ? `it redirects to ${location}: use that address`
    : "is this the address of an event store?";
  const what = `status ${answer.status} with an answer that is not the store's`;
  const message = `${what}: ${JSON.stringify(beginning)}; ${hint}`;
  return new UnexpectedAnswerError(message, answer.status, beginning);
}

/** `Retry-After` in seconds; a date counts as none. */
function seconds(headers: Headers): number | undefined {
  const text = (headers.get("retry-after") ?? "").trim();
  return /^\d+$/.test(text) ? Number(text) : undefined;
}
