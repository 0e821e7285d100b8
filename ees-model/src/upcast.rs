//! Older forms of events.

use ees_core::{Changeset, Json, UnreadableEvent};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The steps that turn every form of an event that was ever stored into today's, before serde reads it.
///
/// An event's type has its version in it: `placed`, `placed_v2`. A step belongs to one type and makes
/// the next one of it. The steps are listed oldest first, and each is applied at most once, so a chain of
/// them leads from any form to today's.
///
/// ```
/// use ees_core::Json;
/// use ees_model::{Upcast, Upcasts};
/// use serde::Deserialize;
///
/// #[derive(Debug, PartialEq, Deserialize)]
/// #[serde(tag = "type")]
/// enum OrderEvent {
///     #[serde(rename = "placed_v3")]
///     Placed { cents: u64, channel: String },
/// }
///
/// const ORDERS: Upcasts = Upcasts::new(&[
///     Upcast::new("placed", "placed_v2", |event| {
///         let euros = event.remove("euros").and_then(|euros| euros.as_u64());
///         event.insert("cents".to_owned(), euros.map(|euros| euros * 100).into());
///     }),
///     Upcast::new("placed_v2", "placed_v3", |event| {
///         event.insert("channel".to_owned(), "web".into());
///     }),
/// ]);
///
/// let stored = Json::parse(r#"{"type": "placed", "euros": 5}"#)?;
/// let event: OrderEvent = ORDERS.read(&stored)?;
/// assert_eq!(event, OrderEvent::Placed { cents: 500, channel: "web".to_owned() });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A step gets the event as a [`Value`], in which a number is an integer of 64 bits or an `f64`. Events
/// without a step are read as they are stored.
#[derive(Debug, Clone, Copy, Default)]
pub struct Upcasts(&'static [Upcast]);

/// A step from one form of an event to the next one.
#[derive(Debug, Clone, Copy)]
pub struct Upcast {
    from: &'static str,
    to: &'static str,
    step: fn(&mut Map<String, Value>),
}

impl Upcast {
    /// A step from one type to the next one. The function changes the members of the event; its `type`
    /// is set afterwards. It is pure and refuses nothing: what it leaves out is reported by serde.
    pub const fn new(
        from: &'static str,
        to: &'static str,
        step: fn(&mut Map<String, Value>),
    ) -> Self {
        Self { from, to, step }
    }

    /// The type that the step belongs to.
    pub const fn from(&self) -> &'static str {
        self.from
    }
}

impl Upcasts {
    /// Every event is read as it is stored.
    pub const NONE: Self = Self(&[]);

    /// Steps, oldest first.
    pub const fn new(steps: &'static [Upcast]) -> Self {
        Self(steps)
    }

    /// The steps, oldest first.
    pub const fn steps(&self) -> &'static [Upcast] {
        self.0
    }

    /// Reads a stored event as an `E`, after the steps for its type.
    ///
    /// # Errors
    /// [`serde_json::Error`] if its form is none that `E` and the steps know.
    pub fn read<E: DeserializeOwned>(&self, event: &Json) -> Result<E, serde_json::Error> {
        match self.upcast(event) {
            Some(today) => serde_json::from_value(today),
            None => event.read(),
        }
    }

    /// Reads the events of a changeset one by one.
    ///
    /// # Errors
    /// An item is [`UnreadableEvent`] if the event cannot be read. The items after it are not affected.
    pub fn read_events<E: DeserializeOwned>(
        self,
        changeset: &Changeset,
    ) -> impl Iterator<Item = Result<E, UnreadableEvent>> {
        changeset.each_event().map(move |event| {
            self.read(&event.data).map_err(|problem| UnreadableEvent {
                stream_id: changeset.stream_id.clone(),
                event_id: event.event_id,
                problem,
            })
        })
    }

    /// Today's form of an event; `None` if it is stored in that form.
    fn upcast(&self, event: &Json) -> Option<Value> {
        if self.0.is_empty() {
            return None;
        }
        let stored = event.event_type()?;
        let first = self.0.iter().position(|step| step.from == stored)?;
        let mut today: Map<String, Value> = event.read().ok()?;
        let mut kind = &*stored;
        for step in &self.0[first..] {
            if step.from == kind {
                (step.step)(&mut today);
                kind = step.to;
            }
        }
        today.insert("type".to_owned(), kind.into());
        Some(Value::Object(today))
    }
}
