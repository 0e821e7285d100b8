//! Tests of deciders without a store, and of the forms of events.

mod golden;

use std::fmt::Debug;

use ees_core::Json;

use crate::Decider;

pub use golden::golden;

/// A test of a decider: `given` these events in the stream, `when` a command arrives, `then` these events
/// follow.
///
/// ```
/// # use ees_model::Decider;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Default)]
/// # struct Counter(u64);
/// # #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// # enum Counted { Added(u64) }
/// # use Counted::Added;
/// # struct Add(u64);
/// # impl Decider for Counter {
/// #     type Command = Add;
/// #     type Event = Counted;
/// #     type Error = &'static str;
/// #     fn decide(&self, Add(by): &Add) -> Result<Vec<Counted>, &'static str> {
/// #         if self.0 + by > 10 { return Err("full") }
/// #         Ok(vec![Added(*by)])
/// #     }
/// #     fn evolve(&mut self, Added(by): &Counted) { self.0 += by; }
/// # }
/// use ees_model::testing::given;
///
/// given::<Counter>([Added(3)])
///     .when(Add(7))
///     .then([Added(7)])
///     .when(Add(1))
///     .then_refused("full");
/// ```
#[must_use]
pub fn given<D: Decider>(events: impl IntoIterator<Item = D::Event>) -> Given<D> {
    let mut state = D::default();
    for event in events {
        state.evolve(&event);
    }
    Given { state }
}

/// A stream before a command.
#[derive(Debug, Clone)]
pub struct Given<D> {
    state: D,
}

/// What was decided on a command.
#[derive(Debug, Clone)]
#[must_use]
pub struct When<D: Decider> {
    state: D,
    decided: Result<Vec<D::Event>, D::Error>,
}

impl<D: Decider> Given<D> {
    /// Decides on a command.
    // By value, so that a test reads like a sentence.
    #[allow(clippy::needless_pass_by_value)]
    pub fn when(self, command: D::Command) -> When<D> {
        let decided = self.state.decide(&command);
        When {
            state: self.state,
            decided,
        }
    }

    /// The state after the events.
    pub fn state(&self) -> &D {
        &self.state
    }
}

impl<D: Decider> When<D>
where
    D::Event: Debug + PartialEq,
{
    /// Exactly these events follow, and each is read from its JSON as it was. Afterwards they are in the
    /// stream.
    ///
    /// # Panics
    /// Others follow, or the command is refused.
    #[track_caller]
    pub fn then(mut self, events: impl IntoIterator<Item = D::Event>) -> Given<D> {
        let events: Vec<D::Event> = events.into_iter().collect();
        match self.decided {
            Ok(decided) => assert_eq!(decided, events, "what follows"),
            Err(refused) => panic!("the command is refused: {refused}"),
        }
        for event in &events {
            assert_is_read_as_written::<D>(event);
            self.state.evolve(event);
        }
        Given { state: self.state }
    }

    /// The command is refused with this error.
    ///
    /// # Panics
    /// It is refused with another one, or events follow.
    // By value, so that a test reads like a sentence.
    #[allow(clippy::needless_pass_by_value)]
    #[track_caller]
    pub fn then_refused(self, error: D::Error) -> Given<D>
    where
        D::Error: PartialEq,
    {
        match self.decided {
            Err(refused) => assert_eq!(refused, error, "why it is refused"),
            Ok(events) => panic!("the command is not refused: {events:?} follow"),
        }
        Given { state: self.state }
    }
}

#[track_caller]
fn assert_is_read_as_written<D: Decider>(event: &D::Event)
where
    D::Event: Debug + PartialEq,
{
    let read = Json::of(event)
        .map_err(|error| error.to_string())
        .and_then(|json| {
            D::UPCASTS
                .read::<D::Event>(&json)
                .map_err(|error| error.to_string())
        });
    match read {
        Ok(read) => assert_eq!(&read, event, "what is read after it was written"),
        Err(error) => panic!("{event:?} cannot be read after it was written: {error}"),
    }
}
