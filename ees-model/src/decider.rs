//! What a service writes: the decisions, and the state that they need.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Upcasts;

/// The state of one stream, the decisions on commands, and the effect of events.
///
/// The value itself is the state, and [`Default`] is the state of a stream that does not exist. Both
/// functions are pure: they read no clock, make no random numbers and call nobody. A decision may run
/// more than once for one command.
///
/// ```
/// # use ees_model::Decider;
/// # use serde::{Deserialize, Serialize};
/// #[derive(Default)]
/// struct Counter(u64);
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// #[serde(tag = "type", rename_all = "snake_case")]
/// enum Counted {
///     Added { by: u64 },
/// }
///
/// struct Add(u64);
///
/// impl Decider for Counter {
///     type Command = Add;
///     type Event = Counted;
///     type Error = &'static str;
///
///     fn decide(&self, Add(by): &Add) -> Result<Vec<Counted>, &'static str> {
///         self.0.checked_add(*by).ok_or("the counter is full")?;
///         Ok(vec![Counted::Added { by: *by }])
///     }
///
///     fn evolve(&mut self, Counted::Added { by }: &Counted) {
///         self.0 += by;
///     }
/// }
/// ```
pub trait Decider: Default + Send + Sync {
    /// What a caller wants.
    type Command: Send + Sync;

    /// What happened. Its form in serde is its form in the store.
    type Event: Serialize + DeserializeOwned + Send + Sync;

    /// Why a command is refused.
    type Error: fmt::Debug + fmt::Display + Send;

    /// How older forms of events become today's.
    const UPCASTS: Upcasts = Upcasts::NONE;

    /// The version of the state. Increase it with every change of the state, of
    /// [`Decider::evolve`] or of [`Decider::UPCASTS`]: snapshots of another version are not used.
    const VERSION: u32 = 1;

    /// Decides on a command. Without events nothing is committed: the command had nothing to do.
    ///
    /// # Errors
    /// The rules of the business forbid the command.
    fn decide(&self, command: &Self::Command) -> Result<Vec<Self::Event>, Self::Error>;

    /// Applies an event. An event is a fact, so this refuses nothing.
    fn evolve(&mut self, event: &Self::Event);
}
