//! Pages of the global order, and how the contiguous reader resolves positions that the index
//! hides.

use ees_core::adapter::{ChangesetKey, IndexState};
use ees_core::indexer::{Corruption, ReadAnswer, ReadRequest, Reading, Turn};
use ees_core::{
    Changeset, ChangesetId, Checkpoint, CommitId, EventId, Events, GlobalPage, Json, Page,
    PageLimit, StorageError, StreamId, Timestamp,
};

/// An index that shows some of the positions below `next`; from `base` on they are the intent's.
#[derive(Clone, Copy)]
struct Index<'a> {
    shows: &'a [u64],
    base: u64,
    next: u64,
    void: &'a [u64],
}

fn at(position: u64) -> Checkpoint {
    Checkpoint::new(position).unwrap()
}

/// The changeset that belongs to a position.
fn key(position: u64) -> ChangesetKey {
    ChangesetKey {
        stream_id: StreamId::new(&format!("s{position}")).unwrap(),
        changeset_id: ChangesetId::FIRST,
    }
}

fn changeset(position: u64, checkpoint: Option<u64>) -> Changeset {
    Changeset {
        stream_id: key(position).stream_id,
        changeset_id: ChangesetId::FIRST,
        first_event_id: EventId::FIRST,
        last_event_id: EventId::FIRST,
        timestamp: Timestamp::from_micros(0).unwrap(),
        commit_id: CommitId::new("c").unwrap(),
        set: None,
        events: Events::parse("[1]").unwrap(),
        metadata: Json::default(),
        checkpoint: checkpoint.map(at),
    }
}

impl Index<'_> {
    fn answer(&self, request: ReadRequest) -> ReadAnswer {
        match request {
            ReadRequest::Index { from, limit } => {
                let shown = self
                    .shows
                    .iter()
                    .filter(|position| **position >= from.get());
                let mut items: Vec<_> = shown.map(|p| changeset(*p, Some(*p))).collect();
                let more = items.len() > limit.items;
                items.truncate(limit.items);
                ReadAnswer::Index(Page { items, more })
            }
            ReadRequest::State => ReadAnswer::State(IndexState {
                rev: 7,
                base: at(self.base),
                intent: (self.base..self.next).map(key).collect(),
            }),
            ReadRequest::Fetch(keys) => {
                let members = (self.base..self.next).filter(|p| keys.contains(&key(*p)));
                ReadAnswer::Fetched(members.map(|p| Some(changeset(p, None))).collect())
            }
            ReadRequest::PastVoid(from) => {
                let mut past = from.get();
                while self.void.contains(&past) {
                    past += 1;
                }
                ReadAnswer::PastVoid(at(past))
            }
        }
    }

    /// The positions of a page, its end, and the number of requests.
    fn read(&self, from: u64, items: usize) -> Result<(Vec<u64>, u64, usize), Corruption> {
        let (mut reading, mut request) = Reading::begin(at(from), PageLimit::items(items));
        for requests in 1.. {
            match reading.answer(self.answer(request))? {
                Turn::Ask(next) => request = next,
                Turn::Done(GlobalPage { changesets, next }) => {
                    let of = |c: &Changeset| {
                        let position = c.checkpoint.unwrap().get();
                        assert_eq!(c.stream_id, key(position).stream_id, "G6: its own");
                        position
                    };
                    return Ok((changesets.iter().map(of).collect(), next.get(), requests));
                }
            }
        }
        unreachable!()
    }
}

const WRITTEN: Index<'_> = Index {
    shows: &[0, 1, 2, 3, 4, 5],
    base: 4,
    next: 6,
    void: &[],
};

#[test]
fn a_page_that_the_index_fills_takes_one_request() {
    assert_eq!(WRITTEN.read(1, 3), Ok((vec![1, 2, 3], 4, 1)));
}

#[test]
fn the_head_is_where_the_state_says() {
    assert_eq!(WRITTEN.read(4, 10), Ok((vec![4, 5], 6, 2)));
    assert_eq!(WRITTEN.read(6, 10), Ok((vec![], 6, 2)));
    assert_eq!(WRITTEN.read(99, 10), Ok((vec![], 99, 2)));
}

#[test]
fn an_index_that_lags_ends_the_page() {
    let lags = Index {
        shows: &[0, 2, 3],
        ..WRITTEN
    };
    assert_eq!(lags.read(0, 10), Ok((vec![0], 1, 3)), "G6: no skip");
    assert_eq!(lags.read(1, 10), Ok((vec![], 1, 3)), "G6: no skip");
}

#[test]
fn the_intent_is_fetched_by_key() {
    for shows in [&[0, 1, 2, 3][..], &[0, 1, 2, 3, 5]] {
        let unwritten = Index { shows, ..WRITTEN };
        let all = Ok((vec![2, 3, 4, 5], 6, 3));
        assert_eq!(unwritten.read(2, 10), all, "G8: what is decided is read");
        assert_eq!(unwritten.read(2, 3), Ok((vec![2, 3, 4], 5, 3)));
    }
}

#[test]
fn a_long_intent_is_fetched_in_pieces() {
    let long = Index {
        shows: &[],
        base: 0,
        next: 100,
        void: &[],
    };
    let (positions, next, _) = long.read(0, 1000).unwrap();
    assert_eq!((positions, next), ((0..100).collect(), 100));
}

#[test]
fn void_positions_are_passed() {
    let taken_over = Index {
        shows: &[0, 3],
        void: &[1, 2],
        ..WRITTEN
    };
    assert_eq!(taken_over.read(0, 10), Ok((vec![0, 3, 4, 5], 6, 5)));
    let nothing_else = Index {
        shows: &[],
        base: 4,
        next: 4,
        void: &[0, 1, 2, 3],
    };
    assert_eq!(nothing_else.read(0, 10), Ok((vec![], 4, 3)));
}

#[test]
fn what_nobody_decided_is_corruption() {
    let beyond = Index {
        shows: &[0, 6],
        ..WRITTEN
    };
    let (found, next) = (at(6), at(6));
    let undecided = Err(Corruption::Undecided { found, next });
    assert_eq!(beyond.read(0, 10), undecided);
    let last = Index {
        shows: &[4, 5, 6],
        ..WRITTEN
    };
    assert_eq!(last.read(4, 10), undecided);
}

#[test]
fn a_position_twice_is_corruption() {
    let twice = Index {
        shows: &[0, 0, 1],
        ..WRITTEN
    };
    let key = key(0);
    assert_eq!(twice.read(0, 10), Err(Corruption::Disordered { key }));
}

/// G6: a storage that orders at commit time must not leave a hole.
#[test]
fn a_dense_page_has_no_hole_and_no_repeat() {
    let page = |places: &[Option<u64>]| {
        let changesets = places.iter().map(|place| changeset(7, *place));
        GlobalPage::dense(at(1), changesets.collect())
    };
    assert_eq!(page(&[]).unwrap().next, at(1));
    assert_eq!(page(&[Some(1), Some(2)]).unwrap().next, at(3));
    for wrong in [
        &[Some(2)][..],
        &[Some(1), Some(3)],
        &[Some(1), Some(3), Some(3)],
        &[Some(2), Some(1)],
        &[Some(1), None],
    ] {
        let page = page(wrong);
        assert!(matches!(page, Err(StorageError::Corrupt(_))), "{wrong:?}");
    }
}
