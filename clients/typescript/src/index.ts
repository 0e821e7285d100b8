/** A client of the Elastic Event Store. */

export type { CommitAllOptions, CommitOptions, GlobalOptions, StreamOptions } from "./calls.js";
export { EventStore, type EventStoreOptions } from "./client.js";
export type { ConsumeOptions, Handler } from "./consume.js";
export {
  ApiError,
  CheckpointBeyondHeadError,
  ConflictError,
  ConsumerNotFoundError,
  EesError,
  FencedError,
  ForbiddenError,
  isStoreError,
  KeyReusedError,
  OtherStoreError,
  type Outcome,
  SetConflictError,
  type StoreError,
  StreamNotFoundError,
  TransportError,
  UnauthorizedError,
  UnavailableError,
  UnexpectedAnswerError,
} from "./errors.js";
export type { FollowOptions } from "./follow.js";
export type * from "./model.js";
export type { Retry } from "./settings.js";
