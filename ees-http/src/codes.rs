//! Every error code of the wire contract.

/// An error code. Only this file makes codes, so that its list is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code(&'static str);

impl Code {
    pub(crate) fn as_str(self) -> &'static str {
        self.0
    }
}

/// Defines a constant for each code, and [`ERROR_CODES`].
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        $($(#[$doc])* pub(crate) const $name: Code = Code(stringify!($name));)*

        /// Every error code that an answer can have.
        pub const ERROR_CODES: &[&str] = &[$(stringify!($name)),*];
    };
}

codes! {
    /// The path has an empty stream id.
    MISSING_STREAM_ID,
    /// The stream id breaks a rule.
    INVALID_STREAM_ID,
    /// `expected_last_changeset` is not an id, or the stream has not reached the expectation.
    INVALID_EXPECTED_CHANGESET_ID,
    /// `expected_last_event` is not an id.
    INVALID_EXPECTED_EVENT_ID,
    /// A commit has two expectations.
    BOTH_EXPECTED_CHANGESET_AND_EVENT_ARE_SET,
    /// The idempotency key breaks a rule.
    INVALID_IDEMPOTENCY_KEY,
    /// The body of a commit is not what it has to be.
    INVALID_BODY,
    /// A commit has no event.
    NO_EVENTS,
    /// The range of changeset ids is invalid.
    INVALID_CHANGESET_FILTERING_PARAMS,
    /// The range of event ids is invalid.
    INVALID_EVENT_FILTERING_PARAMS,
    /// `checkpoint` is invalid.
    INVALID_CHECKPOINT,
    /// `checkpoint` is beyond the head of the global order.
    CHECKPOINT_BEYOND_HEAD,
    /// The name of a consumer breaks a rule.
    INVALID_CONSUMER_NAME,
    /// There is no consumer of this name.
    CONSUMER_NOT_FOUND,
    /// The consumer exists with another definition.
    CONSUMER_EXISTS,
    /// The store has as many consumers as it can.
    TOO_MANY_CONSUMERS,
    /// The storage keeps no consumers.
    CONSUMERS_NOT_SUPPORTED,
    /// The batch of a consumer is not out any more.
    FENCED,
    /// The stream is not parked.
    STREAM_NOT_PARKED,
    /// The storage keeps no verifiable log.
    NO_LOG,
    /// The log does not reach so far yet.
    NOT_SEALED,
    /// No signed head is kept, or none of this size.
    NOT_SIGNED,
    /// The path names no tile of the log.
    INVALID_TILE,
    /// `size`, `from` or `to` is no size of the log.
    INVALID_LOG_SIZE,
    /// `store` is the id of another store.
    OTHER_STORE,
    /// `limit` is invalid.
    INVALID_LIMIT,
    /// Any other parameter is invalid, or any parameter is given more than once.
    INVALID_PARAMETER,
    /// No valid key was given.
    UNAUTHORIZED,
    /// The key lacks a right or a prefix, or a web page of another site tries to write.
    FORBIDDEN,
    /// The request names no host, or more than one.
    INVALID_HOST,
    /// The request names a host that the server does not serve.
    MISDIRECTED_REQUEST,
    /// The stream has no changeset.
    STREAM_NOT_FOUND,
    /// There is no such path.
    INVALID_ENDPOINT,
    /// The path has no such method.
    METHOD_NOT_ALLOWED,
    /// The client accepts nothing but server-sent events.
    NOT_ACCEPTABLE,
    /// The body did not arrive in time.
    REQUEST_TIMEOUT,
    /// The stream has moved on beyond the expectation.
    OPTIMISTIC_CONCURRENCY_EXCEPTION,
    /// The changeset or its body is larger than the limit.
    CHANGESET_TOO_LARGE,
    /// The stream has reached its largest size.
    STREAM_TOO_LARGE,
    /// The idempotency key belongs to a changeset with other content.
    IDEMPOTENCY_KEY_REUSED,
    /// A defect, in the server or in what it stores.
    INTERNAL,
    /// The store has moved and accepts no commits.
    STORE_FENCED,
    /// The storage is unavailable.
    STORAGE_UNAVAILABLE,
    /// A limit on concurrent requests, long polls or buffered bytes is reached.
    OVERLOADED,
}
