//! A store as its server answers it, for a verification.

use std::fmt::{self, Display};
use std::ops::RangeInclusive;
use std::sync::Arc;

use async_trait::async_trait;
use ees_core::adapter::TileId;
use ees_core::{
    Changeset, Checkpoint, GlobalPage, PageLimit, Statistics, StorageError, StoreId, StreamId,
};
use ees_evidence::{Hash, LogError, Parent, SealedLog, SignedHead, SignedNote, Source};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::server::Server;
use crate::Failure;
use crate::args::RemoteArgs;
use crate::client::Answer;
use crate::told;

/// The hashes of a full tile.
const TILE_WIDTH: usize = 256;

/// The server of a store, as a verification reads it.
#[derive(Clone)]
pub struct Remote(Arc<Server>);

/// What `GET /log/head` tells.
#[derive(Deserialize)]
struct ToldHead {
    size: u64,
    root: String,
    signed_note: Option<String>,
    parent: Option<Parent>,
}

/// What `GET /log/consistency` tells.
#[derive(Deserialize)]
struct ToldProof {
    hashes: Vec<String>,
}

/// What `GET /streams` tells.
#[derive(Deserialize)]
struct ToldStatistics {
    total_streams: u64,
    total_changesets: u64,
    total_events: u64,
    max_stream_length: u64,
    statistics_version: Checkpoint,
}

/// What a page of the global order tells of its end.
#[derive(Deserialize)]
struct ToldEnd {
    next_checkpoint: Checkpoint,
}

impl Remote {
    /// The server with a URL.
    ///
    /// # Errors
    /// [`Failure::Usage`] if the URL or the file of roots is wrong.
    pub fn of(args: &RemoteArgs) -> Result<Self, Failure> {
        Server::of(args).map(|server| Self(Arc::new(server)))
    }

    /// Reads a page of the global order.
    async fn global_page(&self, from: Checkpoint, items: usize) -> Result<GlobalPage, LogError> {
        let path = format!("/changesets?checkpoint={from}&limit={items}&details=true");
        let answer = self.0.get(&path).await?;
        let page = answer.as_text().and_then(told::global_page);
        page.map_err(|why| damaged(&path, why))
    }
}

#[async_trait]
impl Source for Remote {
    async fn store_id(&self) -> Result<StoreId, LogError> {
        self.0.store_id().await
    }

    async fn sealed(&self) -> Result<Option<SealedLog>, LogError> {
        let absent = ["NO_LOG", "NOT_SEALED"];
        let unsigned = ["NO_LOG", "NOT_SEALED", "NOT_SIGNED"];
        // It is read first: then it is not newer than the head.
        let signed = self.0.find("/log/checkpoint", &unsigned).await?;
        let Some(head) = self.0.find("/log/head", &absent).await? else {
            return Ok(None);
        };
        let head: ToldHead = read("/log/head", &head)?;
        let mut notes = Vec::new();
        if let Some(signed) = signed {
            let note = signed.as_text();
            notes.push(
                note.map_err(|why| damaged("/log/checkpoint", why))?
                    .to_owned(),
            );
        }
        notes.extend(head.signed_note);
        notes.dedup();
        Ok(Some(SealedLog {
            size: head.size,
            root: hash("/log/head", &head.root)?,
            signed: notes.into_iter().map(signed_note).collect(),
            parent: head.parent,
        }))
    }

    async fn tile(&self, tile: TileId, width: usize) -> Result<Option<Vec<u8>>, LogError> {
        let found = self
            .0
            .find(&tile_path(tile, width), &["NOT_SEALED"])
            .await?;
        Ok(found.map(|answer| answer.bytes.to_vec()))
    }

    async fn consistency(&self, from: u64, to: u64) -> Result<Option<Vec<Hash>>, LogError> {
        let path = format!("/log/consistency?from={from}&to={to}");
        let proof: ToldProof = read(&path, &self.0.get(&path).await?)?;
        let hashes = proof.hashes.iter().map(|text| hash(&path, text));
        hashes.collect::<Result<_, _>>().map(Some)
    }

    async fn statistics(&self) -> Result<Statistics, LogError> {
        let told: ToldStatistics = read("/streams", &self.0.get("/streams").await?)?;
        Ok(Statistics {
            version: told.statistics_version,
            total_streams: told.total_streams,
            total_changesets: told.total_changesets,
            total_events: told.total_events,
            max_stream_length: told.max_stream_length,
        })
    }

    async fn next_checkpoint(&self) -> Result<Checkpoint, LogError> {
        let path = "/changesets?checkpoint=head&limit=1";
        let end: ToldEnd = read(path, &self.0.get(path).await?)?;
        Ok(end.next_checkpoint)
    }

    async fn page(&self, from: Checkpoint, limit: PageLimit) -> Result<GlobalPage, LogError> {
        let server = self.clone();
        // A task goes on while the page before is compared.
        let page = tokio::spawn(async move { server.global_page(from, limit.items).await });
        let lost = |error| Err(self.0.unread("/changesets", error));
        page.await.unwrap_or_else(lost)
    }

    async fn of_stream(
        &self,
        stream: &StreamId,
        ids: RangeInclusive<u64>,
    ) -> Result<Vec<Changeset>, LogError> {
        let id = utf8_percent_encode(stream.as_str(), NON_ALPHANUMERIC);
        let (from, to) = ids.into_inner();
        let path = format!(
            "/streams/{id}/changesets?from={}&to={to}&details=true",
            from.max(1)
        );
        match self.0.find(&path, &["STREAM_NOT_FOUND"]).await? {
            Some(answer) => {
                let page = answer.as_text().and_then(told::stream_page);
                page.map_err(|why| damaged(&path, why))
            }
            None => Ok(Vec::new()),
        }
    }
}

/// The path of the first hashes of a tile, as c2sp.org/tlog-tiles writes it.
fn tile_path(tile: TileId, width: usize) -> String {
    let mut number = format!("{:03}", tile.number % 1000);
    let mut rest = tile.number / 1000;
    while rest > 0 {
        number = format!("x{:03}/{number}", rest % 1000);
        rest /= 1000;
    }
    let partial = match width {
        TILE_WIDTH => String::new(),
        width => format!(".p/{width}"),
    };
    format!("/log/tile/{}/{number}{partial}", tile.level)
}

/// A signed head, with the size that it names.
fn signed_note(note: String) -> SignedNote {
    let size = SignedHead::open(&note, None).map_or(0, |head| head.size);
    SignedNote { size, note }
}

fn read<'a, T: Deserialize<'a>>(path: &str, answer: &'a Answer) -> Result<T, LogError> {
    serde_json::from_slice(&answer.bytes).map_err(|error| damaged(path, error))
}

fn hash(path: &str, text: &str) -> Result<Hash, LogError> {
    Hash::parse_hash(text).map_err(|error| damaged(path, error))
}

/// An answer that is not what the server's contract says.
fn damaged(path: &str, why: impl Display) -> LogError {
    StorageError::Corrupt(format!("the answer to GET {path}: {why}")).into()
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_have_the_paths_of_their_specification() {
        let path = |level, number, width| tile_path(TileId { level, number }, width);
        assert_eq!(path(0, 0, 256), "/log/tile/0/000");
        assert_eq!(path(1, 1_234_067, 3), "/log/tile/1/x001/x234/067.p/3");
        assert_eq!(path(0, 1000, 256), "/log/tile/0/x001/000");
    }
}
