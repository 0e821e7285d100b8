//! The pages, one file each.

pub(crate) mod act;
pub(crate) mod consumer;
pub(crate) mod consumers;
pub(crate) mod evidence;
mod holds;
pub(crate) mod log;
pub(crate) mod login;
pub(crate) mod overview;
pub(crate) mod stream;
pub(crate) mod tail;
