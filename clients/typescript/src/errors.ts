/** The errors of a call. Each says what to do next; `kind` tells them apart. */

import type { Changeset, Conflict } from "./model.js";
import { changesetOf, conflictOf, type Wire } from "./wire.js";

/** Whether a commit that failed may have been written. */
export type Outcome = "none" | "unknown";

/** Every error that this library throws. */
export abstract class EesError extends Error {
  abstract readonly kind: string;
}

/**
 * No complete answer came, in spite of all tries: call again later.
 *
 * For a commit, `outcome` says whether anything may have been written. Repeat it with
 * `idempotencyKey` and the same content; it is then stored at most once.
 */
export class TransportError extends EesError {
  readonly kind = "transport" as const;
  idempotencyKey: string | undefined;
  constructor(message: string, public outcome: Outcome = "unknown") {
    super(message);
    this.name = "TransportError";
  }
}

/**
 * The answer is not one of the store's, such as a proxy's page: check the address.
 *
 * For a commit it is not known whether anything was written.
 */
export class UnexpectedAnswerError extends EesError {
  readonly kind = "unexpected-answer" as const;
  constructor(message: string, readonly status: number, readonly beginning: string) {
    super(message);
    this.name = "UnexpectedAnswerError";
  }
}

/** An error that the store answered. `code` is one of those in docs/rest-api.md. */
abstract class Answered extends EesError {
  readonly code: string;
  constructor(readonly status: number, readonly body: Wire, readonly requestId?: string) {
    super(`${body.error}: ${body.message}`);
    this.name = new.target.name;
    this.code = String(body.error);
  }
}

/** Any other error that the store answered: correct the request. */
export class ApiError extends Answered {
  readonly kind = "api" as const;
}

/** Another commit was faster: apply `forthcoming` to the state, decide anew, commit again. */
export class ConflictError extends Answered {
  readonly kind = "conflict" as const;
  readonly streamId: string = String(this.body.stream_id);
  readonly lastChangeset: number = this.body.last_changeset ?? 0;
  readonly lastEvent: number = this.body.last_event ?? 0;
  /** The changesets that were missed, or the first of them. */
  readonly forthcoming: Changeset[] = (this.body.forthcoming_changesets ?? []).map((item: Wire) =>
    changesetOf(item, this.streamId),
  );
  /** If more were missed: the `from` with which to read on. */
  readonly next: number | undefined = this.body.next;
}

/**
 * Nothing of a set was stored: streams are not as its commits and checks expect them.
 *
 * Apply what each of `conflicts` has missed, decide anew, commit the set again. With `status` 400 a stream
 * ends before what was expected of it: read it anew.
 */
export class SetConflictError extends Answered {
  readonly kind = "set-conflict" as const;
  /** Every commit and check that does not hold, commits first. */
  readonly conflicts: Conflict[] = this.body.conflicts.map(conflictOf);
}

/**
 * The idempotency key stands in the stream with another content: the command is done.
 *
 * `changeset` is what it stored, unless the key of the client may not read.
 */
export class KeyReusedError extends Answered {
  readonly kind = "key-reused" as const;
  readonly streamId: string = String(this.body.stream_id);
  readonly changesetId: number = this.body.changeset_id ?? 0;
  readonly changeset: Changeset | undefined =
    this.body.changeset && changesetOf(this.body.changeset, this.streamId);
}

/** The stream has no changeset yet: commit with `expectedLastChangeset: 0`. */
export class StreamNotFoundError extends Answered {
  readonly kind = "stream-not-found" as const;
}

/** There is no such consumer: define it. */
export class ConsumerNotFoundError extends Answered {
  readonly kind = "consumer-not-found" as const;
}

/** The batch is not out any more, and nothing was changed: claim again. */
export class FencedError extends Answered {
  readonly kind = "fenced" as const;
}

/**
 * The address leads to another store than the one to which the checkpoint belongs.
 *
 * With `sameBelow` the store was restored: go back to that checkpoint, and undo what was built from
 * later changesets. Without it the store is a strange one: check the address.
 */
export class OtherStoreError extends Answered {
  readonly kind = "other-store" as const;
  readonly store: string = String(this.body.store);
  readonly asked: string = String(this.body.asked);
  readonly sameBelow: number | undefined = this.body.same_below;
  readonly head: number | undefined = this.body.head;
}

/** No changeset can have this checkpoint yet: the store was restored from an older copy. */
export class CheckpointBeyondHeadError extends Answered {
  readonly kind = "checkpoint-beyond-head" as const;
  readonly head: number | undefined = this.body.head;
}

/** The server has keys, and the client has none that is valid: give `key`. */
export class UnauthorizedError extends Answered {
  readonly kind = "unauthorized" as const;
}

/** The key lacks a right or a stream prefix, which the message names. */
export class ForbiddenError extends Answered {
  readonly kind = "forbidden" as const;
}

/**
 * The store cannot answer now, in spite of all tries: call again after `retryAfter` seconds.
 *
 * For a commit, `outcome` says whether anything may have been written. Repeat it with
 * `idempotencyKey` and the same content; it is then stored at most once.
 */
export class UnavailableError extends Answered {
  readonly kind = "unavailable" as const;
  outcome: Outcome = this.body.outcome === "none" ? "none" : "unknown";
  retryAfter: number | undefined;
  idempotencyKey: string | undefined = this.body.idempotency_key;
}

/** The errors, for a `switch` over `kind`. */
export type StoreError =
  | ApiError
  | CheckpointBeyondHeadError
  | ConflictError
  | ConsumerNotFoundError
  | FencedError
  | ForbiddenError
  | KeyReusedError
  | OtherStoreError
  | SetConflictError
  | StreamNotFoundError
  | TransportError
  | UnauthorizedError
  | UnavailableError
  | UnexpectedAnswerError;

/** Whether something that was thrown is an error of this library. */
export function isStoreError(error: unknown): error is StoreError {
  return error instanceof EesError;
}

/** After these statuses the same request may succeed later. */
export const REPEATABLE = new Set([408, 429, 502, 503, 504]);

/** The error of an answer with a JSON object. */
export function apiError(status: number, body: Wire, requestId?: string) {
  if (Array.isArray(body.conflicts)) return new SetConflictError(status, body, requestId);
  switch (body.error) {
    case "OPTIMISTIC_CONCURRENCY_EXCEPTION":
      return new ConflictError(status, body, requestId);
    case "IDEMPOTENCY_KEY_REUSED":
      return new KeyReusedError(status, body, requestId);
    case "STREAM_NOT_FOUND":
      return new StreamNotFoundError(status, body, requestId);
    case "CONSUMER_NOT_FOUND":
      return new ConsumerNotFoundError(status, body, requestId);
    case "FENCED":
      return new FencedError(status, body, requestId);
    case "OTHER_STORE":
      return new OtherStoreError(status, body, requestId);
    case "CHECKPOINT_BEYOND_HEAD":
      return new CheckpointBeyondHeadError(status, body, requestId);
    case "UNAUTHORIZED":
      return new UnauthorizedError(status, body, requestId);
    case "FORBIDDEN":
      return new ForbiddenError(status, body, requestId);
    default:
      return REPEATABLE.has(status)
        ? new UnavailableError(status, body, requestId)
        : new ApiError(status, body, requestId);
  }
}
