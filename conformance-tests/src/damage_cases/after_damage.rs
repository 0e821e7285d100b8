//! G19: after damage was met no commit is stored, and reads of what is sound go on.

use ees_core::adapter::{Commit, CommitSet};
use ees_core::{
    Changeset, CommitId, Events, Expectation, Filter, GlobalPage, Json, StreamId, StreamQuery,
    Timestamp,
};

use super::scene::{Damaged, end, hold_order, order_of, position, same, told};
use crate::subject::unique;
use crate::{Damage, DamageHarness};

/// A store in which one changeset is damaged.
struct Scene {
    order: Vec<Changeset>,
    damaged: Damaged,
    /// The place of the damaged changeset in the order.
    place: usize,
}

async fn scene(harness: &dyn DamageHarness, place: usize, damage: Damage) -> Scene {
    let order = order_of(harness, 6).await;
    let storage = harness.storage();
    storage.check_sound().expect("G19: a sound store");
    let writable = storage.check_writable().await;
    writable.expect("G19: a sound store takes commits");
    let mut damaged = Damaged::default();
    damaged.add(harness, &order[place], damage).await;
    Scene {
        order,
        damaged,
        place,
    }
}

fn commit(stream_id: &StreamId, last: u64, commit_id: &CommitId) -> Commit {
    Commit {
        stream_id: stream_id.clone(),
        expectation: Expectation::LastChangeset(last),
        events: Events::parse(r#"[{"type":"late"}]"#).expect("events"),
        metadata: Json::default(),
        commit_id: commit_id.clone(),
        set: None,
        timestamp: Timestamp::now(),
    }
}

/// Asserts that the store has noticed its damage and takes no commit.
async fn hold_closed(harness: &dyn DamageHarness, scene: &Scene) {
    let storage = harness.storage();
    told(
        storage.check_sound(),
        "the check whether the store is sound",
    );
    let writable = storage.check_writable().await;
    told(writable, "the check whether commits can be written");
    let new: StreamId = unique("new").parse().expect("a stream id");
    let streams = [&scene.order[0], &scene.order[1]].map(|one| &one.stream_id);
    let places = [(&new, 0), (streams[0], 3), (streams[1], 3)];
    for (stream, last) in places {
        let commit = commit(stream, last, &CommitId::generate());
        let what = format!("a commit to `{stream}` after damage was met");
        told(storage.commit(&commit).await, &what);
    }
    let id = CommitId::generate();
    let set = CommitSet {
        commits: vec![commit(&new, 0, &id), commit(streams[1], 3, &id)],
        checks: Vec::new(),
    };
    told(storage.commit_set(&set).await, "a set after damage was met");
    let head = storage.head(&new).await;
    let head = head.unwrap_or_else(|error| panic!("G19: a sound head is read: {error}"));
    assert_eq!(head, None, "G19: a commit that is refused is not stored");
    for from in scene.order.iter().map(position).chain([end(&scene.order)]) {
        hold_order(&*storage, &scene.order, &scene.damaged, from).await;
    }
    hold_sound_stream(harness, scene).await;
}

/// The stream that is not damaged is read as before.
async fn hold_sound_stream(harness: &dyn DamageHarness, scene: &Scene) {
    let damaged = &scene.order[scene.place].stream_id;
    let all = scene.order.iter();
    let sound: Vec<_> = all.filter(|one| one.stream_id != *damaged).collect();
    let stream = &sound[0].stream_id;
    let storage = harness.storage();
    let read = storage.read_stream(&StreamQuery::all(stream.clone())).await;
    let page = read.unwrap_or_else(|error| panic!("G19: a sound stream is read: {error}"));
    same(&page.items, &sound, "the read of a sound stream");
    let head = storage.head(stream).await;
    let head = head.unwrap_or_else(|error| panic!("G19: a sound head is read: {error}"));
    assert_eq!(
        head,
        Some(sound[2].head()),
        "G19: the head of a sound stream"
    );
}

/// A stream's reader meets a changed payload.
pub async fn a_read_of_a_stream_that_meets_damage_ends_commits(harness: &mut dyn DamageHarness) {
    let scene = scene(harness, 2, Damage::Payload).await;
    let one = &scene.order[scene.place];
    let query = StreamQuery::all(one.stream_id.clone());
    let query = query.changesets(one.changeset_id.get()..);
    let read = harness.storage().read_stream(&query).await;
    told(read, "the read of the stream");
    hold_closed(harness, &scene).await;
}

/// A reader of the order meets a hole.
pub async fn a_read_of_the_order_that_meets_damage_ends_commits(harness: &mut dyn DamageHarness) {
    let scene = scene(harness, 2, Damage::Lost).await;
    let from = position(&scene.order[scene.place]);
    let read = harness.storage().read_global(from, 1.into()).await;
    told(read, "the read of the order");
    hold_closed(harness, &scene).await;
}

/// A reader that selects nothing meets a changed frame.
pub async fn a_filtered_read_that_meets_damage_ends_commits(harness: &mut dyn DamageHarness) {
    let scene = scene(harness, 2, Damage::Frame).await;
    let from = position(&scene.order[scene.place]);
    let filter = Filter::default().stream_prefix("third");
    let storage = harness.storage();
    let read = storage.read_filtered(from, 1.into(), &filter).await;
    told(read, "the filtered read");
    hold_closed(harness, &scene).await;
}

/// A reader that has come to the end meets its loss.
pub async fn a_read_that_meets_a_lost_end_ends_commits(harness: &mut dyn DamageHarness) {
    let scene = scene(harness, 5, Damage::Lost).await;
    let from = position(&scene.order[scene.place]);
    let read = harness.storage().read_global(from, 1.into()).await;
    told(read, "the read of the end");
    hold_closed(harness, &scene).await;
}

/// An import does not go behind a lost end. It meets the loss before anybody else does.
pub async fn an_import_that_meets_damage_ends_commits(harness: &mut dyn DamageHarness) {
    let Some(import) = harness.import_target() else {
        println!("not run: the storage takes no imports");
        return;
    };
    let scene = scene(harness, 5, Damage::Lost).await;
    let from = end(&scene.order);
    let new = Changeset {
        stream_id: unique("imported").parse().expect("a stream id"),
        checkpoint: Some(from),
        ..scene.order[0].clone()
    };
    let page = GlobalPage {
        changesets: vec![new],
        next: from.plus(1),
    };
    told(import.import(from, &page).await, "the import");
    hold_closed(harness, &scene).await;
}

/// Before anybody has met the loss of the last changeset, a commit does not take its position: the loss
/// would never be told.
pub async fn no_commit_takes_a_lost_position(harness: &mut dyn DamageHarness) {
    let scene = scene(harness, 5, Damage::Lost).await;
    let storage = harness.storage();
    let lost = &scene.order[scene.place];
    let new: StreamId = unique("new").parse().expect("a stream id");
    for (stream, last) in [(&new, 0), (&lost.stream_id, 2), (&lost.stream_id, 3)] {
        let commit = commit(stream, last, &CommitId::generate());
        // A storage may also go on behind the position.
        if let refused @ Err(_) = storage.commit(&commit).await {
            told(refused, "the commit");
        }
        harness.settle().await;
        let read = storage.read_global(position(lost), 1.into()).await;
        told(read, "the read of a lost position");
    }
}
