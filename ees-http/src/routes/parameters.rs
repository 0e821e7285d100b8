//! The query parameters, as the OpenAPI description shows them.
//!
//! [`Params`](crate::params::Params) reads them, by rules that a derived implementation lacks.

#![allow(dead_code)] // only described

use utoipa::IntoParams;

/// The parameters of every call.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CommonParams {
    /// Adds line breaks and indentation to the answer
    pp: Option<bool>,
}

/// The parameters of reads of a stream.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct StreamReadParams {
    /// The first id of the range, inclusive. Default: the first of the stream
    from: Option<u64>,
    /// The last id of the range, inclusive. Default: the last of the stream
    to: Option<u64>,
    /// The largest number of items in the page. Default: no limit but the size of the page
    #[param(minimum = 1)]
    limit: Option<u64>,
    /// `forward` (oldest first, the default) or `backward` (newest first)
    direction: Option<String>,
    /// The longest time, in seconds, to wait while the range holds nothing; only forward. Larger than
    /// 20 counts as 20
    #[param(minimum = 0)]
    wait: Option<u64>,
}

/// The parameters of reads of the global order.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct GlobalReadParams {
    /// The largest number of items in the page. Default: 10; larger than 1000 counts as 1000
    #[param(minimum = 1)]
    limit: Option<u64>,
    /// `forward` (the default): from the checkpoint on. `backward`: what is before the checkpoint,
    /// newest first; the checkpoint is the head unless given
    direction: Option<String>,
    /// The longest time, in seconds, to wait for the next item if there is none yet; only forward.
    /// Larger than 20 counts as 20
    #[param(minimum = 0)]
    wait: Option<u64>,
    /// The id of the store to which the checkpoint belongs, as `EES-Store` tells it. 409
    /// `OTHER_STORE` if this is another one
    store: Option<String>,
    /// Selects streams whose id begins with this. May be given up to 100 times: any of them
    stream_prefix: Option<Vec<String>>,
    /// Selects changesets with an event of this type, and those events. May be given up to 100
    /// times: any of them
    event_type: Option<Vec<String>>,
}
