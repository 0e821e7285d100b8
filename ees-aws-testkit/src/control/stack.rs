//! The stack, as an operator sees it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::function::Function;
use crate::mapping::Controls;
use crate::queue::Queue;

/// A function that can be invoked by its name.
pub(crate) struct Invocable {
    pub(crate) function: Arc<Function>,
    pub(crate) queue: Queue,
}

/// A mapping, as Lambda lists it.
pub(crate) struct Listed {
    pub(crate) function_arn: String,
    pub(crate) stream_arn: String,
    pub(crate) controls: Arc<Controls>,
}

/// The stack, as an operator sees it.
pub(crate) struct Stack {
    pub(crate) name: String,
    pub(crate) outputs: BTreeMap<String, String>,
    pub(crate) functions: BTreeMap<String, Invocable>,
    pub(crate) mappings: Vec<Listed>,
    /// The limit on concurrent invocations, in place of the account's.
    pub(crate) concurrency: usize,
    pub(crate) deleted: AtomicBool,
}
