//! Who may do what: the callers, their rights, and the layer that asks an [`Authorizer`].

mod authorize;
mod authorizer;
mod caller;
mod failures;
mod needs;

pub use authorizer::{Authorizer, Unauthorized};
pub use caller::{Caller, Right};

pub(crate) use authorize::{Access, authorize};
pub(crate) use needs::{Need, need};
