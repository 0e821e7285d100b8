//! A function of a stack.

use std::sync::Arc;

use crate::function::Function;
use crate::queue::Queue;
use crate::template;

/// A function and its queue.
pub(super) struct Running {
    pub(super) settings: template::Function,
    pub(super) function: Arc<Function>,
    pub(super) queue: Queue,
}
