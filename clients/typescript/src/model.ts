/** What the store answers. Payloads and metadata are as they were sent. */

/** The events that one commit stored together. The last four are given with `details`. */
export interface Changeset {
  streamId: string;
  changesetId: number;
  events: unknown[];
  metadata: unknown;
  /** Its place in the order of all streams; absent in reads of one stream without `details`. */
  checkpoint?: number;
  timestamp?: string;
  firstEventId?: number;
  lastEventId?: number;
  idempotencyKey?: string;
}

/** One event. Reads of one stream give `changesetId` with `details` only. */
export interface StoredEvent {
  streamId: string;
  eventId: number;
  data: unknown;
  changesetId?: number;
  /** `c.i`: the checkpoint of its changeset, and its index there. */
  checkpoint?: string;
  metadata?: unknown;
  timestamp?: string;
}

/** A commit that is stored. */
export interface Committed {
  streamId: string;
  changesetId: number;
  idempotencyKey: string;
  /** Whether an earlier try, or another process with the same key, had stored it. */
  replayed: boolean;
  /** Absent on DynamoDB, where it is assigned shortly afterwards. */
  checkpoint?: number;
  timestamp?: string;
  firstEventId?: number;
  lastEventId?: number;
}

/** A changeset that a set shall append to a stream, under the expectation of a commit. */
export interface NewChangeset {
  streamId: string;
  events: unknown[];
  /** The last changeset that the stream must have; 0: the stream is new, as without an expectation. */
  expectedLastChangeset?: number;
  /** The last event that the stream must have. */
  expectedLastEvent?: number;
  metadata?: unknown;
}

/** A stream that must be as it was seen, although a set appends nothing to it. 0: it does not exist. */
export type Check =
  | { streamId: string; expectedLastChangeset: number }
  | { streamId: string; expectedLastEvent: number };

/** A set that is stored. */
export interface CommittedSet {
  /** In the order of the call. */
  commits: Committed[];
  idempotencyKey: string;
  /** Whether an earlier try, or another process with the same key, had stored it. */
  replayed: boolean;
}

/** A stream that is not as a commit or a check of a set expects it. */
export interface Conflict {
  streamId: string;
  /** The end of the stream; 0: it does not exist. */
  lastChangeset: number;
  lastEvent: number;
  /** The changesets that were missed, or the first of them. */
  forthcoming: Changeset[];
  /** If more were missed: the `from` with which to read on. */
  next: number | undefined;
}

/** The end of a stream. */
export interface StreamInfo {
  streamId: string;
  lastChangeset: number;
  lastEvent: number;
  lastTimestamp: string;
}

/** Changesets that arrived together. Save `nextCheckpoint` and `store` with what they changed. */
export interface ChangesetBatch {
  changesets: Changeset[];
  nextCheckpoint: number;
  store: string | undefined;
}

/** Events that arrived together. Save `nextCheckpoint` and `store` with what they changed. */
export interface EventBatch {
  events: StoredEvent[];
  nextCheckpoint: string;
  store: string | undefined;
}

/** What is selected: streams with one of the prefixes, and changesets with one of the types. */
export interface Filter {
  streamPrefixes?: string[];
  eventTypes?: string[];
}

/** The changesets that a worker of a consumer has to handle. */
export interface ConsumerBatch {
  partition: number;
  generation: number;
  leaseSeconds: number;
  kind: "live" | "retry";
  changesets: Changeset[];
  nextCheckpoint: number;
}

/** The definition of a consumer; every member has a default. */
export interface ConsumerDefinition {
  /** The checkpoint to begin with, or `"head"`. */
  from?: number | "head";
  streamPrefixes?: string[];
  eventTypes?: string[];
  partitions?: number;
  leaseSeconds?: number;
  retrySeconds?: number[];
  onFailure?: "park" | "stop";
}

/** A partition of a consumer. The last three are given while a batch is out. */
export interface PartitionReport {
  partition: number;
  checkpoint: number;
  generation: number;
  parked: number;
  worker?: string;
  leaseSecondsLeft?: number;
  batchOutSeconds?: number;
}

/** How far a consumer has come. The last two are given with `passed`. */
export interface ConsumerReport {
  name: string;
  definition: ConsumerDefinition;
  lag: { changesets: number; seconds: number };
  partitions: PartitionReport[];
  passed?: boolean;
  parkedBefore?: number;
}

/** A stream that a consumer could not handle. */
export interface Parked {
  streamId: string;
  fromChangeset: number;
  attempts: number;
  error: string;
  since?: string;
  nextTry?: string;
  stopped?: boolean;
}

/** Counts of the whole store, exact below `statisticsVersion`. */
export interface Statistics {
  totalStreams: number;
  totalChangesets: number;
  totalEvents: number;
  maxStreamLength: number;
  statisticsVersion: number;
}
