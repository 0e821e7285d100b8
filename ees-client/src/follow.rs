//! The global order without an end: by an event stream, or by long polls.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ees_core::{Filter, StoreId, Written};
use futures_util::stream::{BoxStream, StreamExt, TryStreamExt, iter, try_unfold};
use reqwest::header::{HeaderName, HeaderValue};
use serde::Deserialize;

use crate::Error;
use crate::answers::{check_store, error_of, unexpected};
use crate::item::{Item, Placed};
use crate::read::{GlobalRead, global_page, selecting};
use crate::settings::Settings;
use crate::sse::{Frame, Frames};
use crate::transport::{Answer, EventStream, Opened, Send, open, store_id};

/// The server waits so long for news, at most.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Where a reader of the global order begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Start<P> {
    /// At the first item of the store.
    #[default]
    First,
    /// At a position: the `next` of the last batch that was handled.
    At(P),
    /// At the end: it gets what comes from now on.
    Head,
}

/// What is followed, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follow<P> {
    /// Where to begin.
    pub start: Start<P>,
    /// What is selected.
    pub filter: Filter,
    /// The store that was saved with the position.
    pub store: Option<StoreId>,
    /// Whether items have what is known of them with details only.
    pub details: bool,
    /// Long polls instead of an event stream.
    pub long_poll: bool,
}

impl<P> Default for Follow<P> {
    /// Everything, from the first item on.
    fn default() -> Self {
        Self {
            start: Start::First,
            filter: Filter::default(),
            store: None,
            details: false,
            long_poll: false,
        }
    }
}

/// Items of the global order that arrived together. Save `next` and `store` with what the items
/// changed, in one transaction: a reader that begins there gets each item once.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Batch<T: Item> {
    /// The items, by checkpoint. With a filter there may be none: `next` has moved on all the same.
    pub items: Vec<T>,
    /// The position of the next item.
    pub next: T::Position,
    /// The store to which `next` belongs; `None` if the server did not tell.
    pub store: Option<StoreId>,
}

/// The batches of the global order, for ever.
pub(crate) fn batches<T: Placed>(
    settings: Arc<Settings>,
    follow: Follow<T::Position>,
) -> BoxStream<'static, Result<Batch<T>, Error>> {
    let follower = Follower::new(settings, follow);
    try_unfold(follower, |mut follower| async {
        let batch = follower.next().await?;
        Ok(Some((batch, follower)))
    })
    .boxed()
}

/// The items of batches, one by one.
pub(crate) fn items<T: Placed>(
    settings: Arc<Settings>,
    follow: Follow<T::Position>,
) -> BoxStream<'static, Result<T, Error>> {
    batches(settings, follow)
        .map_ok(|batch: Batch<T>| iter(batch.items.into_iter().map(Ok)))
        .try_flatten()
        .boxed()
}

/// A reader of the global order.
struct Follower<T: Placed> {
    settings: Arc<Settings>,
    next: T::Position,
    /// Whether `next` is still to be found out.
    at_head: bool,
    last_id: Option<String>,
    store: Option<StoreId>,
    filter: Filter,
    details: bool,
    long_poll: bool,
    failures: u32,
    open: Option<Open>,
}

/// An event stream that is open.
struct Open {
    stream: EventStream,
    frames: Frames,
    begun: Instant,
}

/// The checkpoint that a filter has passed.
#[derive(Deserialize)]
struct Mark<P> {
    next_checkpoint: P,
}

impl<T: Placed> Follower<T> {
    fn new(settings: Arc<Settings>, follow: Follow<T::Position>) -> Self {
        let next = match follow.start {
            Start::At(position) => position,
            Start::First | Start::Head => T::FIRST,
        };
        Self {
            next,
            at_head: matches!(follow.start, Start::Head),
            last_id: None,
            store: follow.store.or(settings.store),
            filter: follow.filter,
            details: follow.details,
            long_poll: follow.long_poll,
            failures: 0,
            open: None,
            settings,
        }
    }

    /// The next batch that brings something, or moves on.
    async fn next(&mut self) -> Result<Batch<T>, Error> {
        loop {
            // The head as a number: a reader that is resumed must not pass by what came meanwhile.
            let found = if self.at_head || self.long_poll {
                self.page().await?
            } else {
                self.receive().await?
            };
            if let Some(batch) = found {
                return Ok(batch);
            }
        }
    }

    /// One page, by a long poll.
    async fn page(&mut self) -> Result<Option<Batch<T>>, Error> {
        let read = GlobalRead {
            filter: self.filter.clone(),
            store: self.store,
            details: self.details,
            ..GlobalRead::default()
        };
        let (place, wait) = if self.at_head {
            ("head".to_owned(), Duration::ZERO)
        } else {
            (self.next.to_string(), LONGEST_WAIT)
        };
        let page = global_page::<T>(&self.settings, Some(place), &read, wait, true);
        let (page, answered) = page.await?;
        let has_moved = page.next_checkpoint != self.next || self.at_head;
        self.at_head = false;
        self.next = page.next_checkpoint;
        self.store = self.store.or(answered);
        self.last_id = None;
        let is_news = has_moved || !page.items.is_empty();
        Ok(is_news.then(|| self.batch(page.items)))
    }

    /// What the event stream brings; nothing if it is opened first, or has ended.
    async fn receive(&mut self) -> Result<Option<Batch<T>>, Error> {
        let Some(open) = &mut self.open else {
            self.connect().await?;
            return Ok(None);
        };
        let Some(bytes) = open.stream.read().await else {
            let begun = open.begun;
            self.open = None;
            let ended = Error::lost("the event stream ended", Written::None);
            self.pause(ended, begun).await;
            return Ok(None);
        };
        let frames = open.frames.feed(&bytes);
        let last_id = open.frames.last_id.clone();
        let news = self.news(&frames)?;
        if news.is_some() {
            self.failures = 0;
            self.last_id = last_id;
        }
        Ok(news)
    }

    /// Asks for an event stream.
    async fn connect(&mut self) -> Result<(), Error> {
        let begun = Instant::now();
        let problem = match open(&self.settings, &self.asked()?).await {
            Ok(Opened::Stream(stream)) => {
                check_store(stream.headers(), self.store)?;
                self.store = self.store.or(store_id(stream.headers()));
                let frames = Frames::after(self.last_id.clone());
                self.open = Some(Open {
                    stream,
                    frames,
                    begun,
                });
                return Ok(());
            }
            Ok(Opened::Answer(answer)) if is_page(&answer) => {
                self.long_poll = true;
                return Ok(());
            }
            Ok(Opened::Answer(answer)) if answer.status == 200 => return Err(unexpected(&answer)),
            Ok(Opened::Answer(answer)) => error_of(&answer, self.store),
            Err(error) => error,
        };
        if !problem.is_retryable() {
            return Err(problem);
        }
        self.pause(problem, begun).await;
        Ok(())
    }

    fn asked(&self) -> Result<Send, Error> {
        let mut asked = Send::get(format!("/{}", T::KIND))
            .given("checkpoint", Some(self.next))
            .given("store", self.store);
        if let Some(last_id) = &self.last_id {
            let id = HeaderValue::from_str(last_id);
            let id = id.map_err(|error| Error::Refused(format!("the last id: {error}")))?;
            asked
                .headers
                .push((HeaderName::from_static("last-event-id"), id));
        }
        Ok(selecting(asked, &self.filter, self.details))
    }

    /// Waits before the stream is asked for again. A stream that lasted is no failure, though it brought
    /// nothing.
    async fn pause(&mut self, problem: Error, begun: Instant) {
        let settings = &self.settings;
        let lasted = begun.elapsed() > settings.retry.longest_pause;
        self.failures = if lasted {
            1
        } else {
            self.failures.saturating_add(1)
        };
        settings.pause(&problem, self.failures).await;
    }

    /// The batch of some events; nothing if all of them were there before.
    fn news(&mut self, frames: &[Frame]) -> Result<Option<Batch<T>>, Error> {
        let before = self.next;
        let mut items = Vec::new();
        for frame in frames {
            let taken = if frame.name == T::NAME {
                self.take(&frame.data, &mut items)
            } else if frame.name == "checkpoint" {
                self.pass(&frame.data)
            } else {
                Ok(())
            };
            taken.map_err(|error| Error::UnexpectedAnswer {
                status: 200,
                beginning: format!(
                    "{}: {error}",
                    frame.data.chars().take(200).collect::<String>()
                ),
                location: None,
            })?;
        }
        Ok((self.next != before).then(|| self.batch(items)))
    }

    fn take(&mut self, data: &str, items: &mut Vec<T>) -> Result<(), serde_json::Error> {
        let item = T::of_text(data)?;
        let missing = || serde::de::Error::custom("missing field `checkpoint`");
        let (at, after) = item.place().ok_or_else(missing)?;
        // What is sent twice is delivered once.
        if at >= self.next {
            self.next = after;
            items.push(item);
        }
        Ok(())
    }

    fn pass(&mut self, data: &str) -> Result<(), serde_json::Error> {
        let mark: Mark<T::Position> = serde_json::from_str(data)?;
        self.next = self.next.max(mark.next_checkpoint);
        Ok(())
    }

    fn batch(&self, items: Vec<T>) -> Batch<T> {
        Batch {
            items,
            next: self.next,
            store: self.store,
        }
    }
}

/// Whether long polls have to do: the server has no event streams, or something in between took `Accept`
/// away.
fn is_page(answer: &Answer) -> bool {
    answer.status == 406 || (answer.status == 200 && answer.is_json())
}
