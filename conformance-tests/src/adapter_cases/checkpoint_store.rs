//! The port that stores the checkpoints of subscriptions.

use ees_core::{Checkpoint, CheckpointStore};

use crate::AdapterHarness;
use crate::subject::unique;

fn at(number: u64) -> Checkpoint {
    Checkpoint::new(number).expect("a checkpoint")
}

async fn load(store: &dyn CheckpointStore, name: &str) -> Option<Checkpoint> {
    store.load_checkpoint(name).await.expect("G6: to load")
}

async fn save(store: &dyn CheckpointStore, name: &str, checkpoint: Checkpoint) {
    let saved = store.save_checkpoint(name, checkpoint).await;
    saved.expect("G6: to save");
}

/// A subscription that never saved begins at the beginning.
pub async fn an_unknown_name_has_no_checkpoint(harness: &mut dyn AdapterHarness) {
    let store = harness.storage();
    assert_eq!(load(&*store, &unique("unknown")).await, None, "G6: none");
}

/// What was saved last counts, be it higher or lower: a subscription may be set back.
pub async fn the_checkpoint_saved_last_wins(harness: &mut dyn AdapterHarness) {
    let store = harness.storage();
    let name = unique("last");
    for number in [0, 1, 7, 7, 3, 0, i64::MAX.cast_unsigned(), 1] {
        save(&*store, &name, at(number)).await;
        let found = load(&*store, &name).await;
        assert_eq!(found, Some(at(number)), "G6: the last one");
    }
}

/// A name is only itself.
pub async fn names_keep_apart(harness: &mut dyn AdapterHarness) {
    let store = harness.storage();
    let mark = unique("name");
    let names = [
        "a",
        "A",
        "a ",
        " a",
        "é",
        "e\u{301}",
        "a/b",
        "%",
        "'",
        "",
        "k",
        "\u{212a}",
        "ß",
        "ss",
        "\u{200b}",
        "\u{ffff}",
        "\u{10ffff}",
    ];
    keep_apart(&*store, &names.map(|name| format!("{mark}{name}"))).await;
}

/// Names of up to 255 characters count to the last one; one may be the beginning of another.
pub async fn names_of_every_length_keep_apart(harness: &mut dyn AdapterHarness) {
    let store = harness.storage();
    let mut names: Vec<_> = [1, 2, 63, 64, 127, 128, 254, 255]
        .map(|length| "n".repeat(length))
        .into();
    for last in ["N", "m", " ", "0"] {
        names.push(last.to_owned());
        names.push(format!("{}{last}", "n".repeat(254)));
    }
    keep_apart(&*store, &names).await;
}

async fn keep_apart(store: &dyn CheckpointStore, names: &[String]) {
    for name in names {
        assert_eq!(load(store, name).await, None, "G6: `{name}` is new");
    }
    for (number, name) in (0..).zip(names) {
        save(store, name, at(number)).await;
    }
    for (number, name) in (0..).zip(names) {
        let found = load(store, name).await;
        assert_eq!(found, Some(at(number)), "G6: `{name}`");
    }
}

/// What was saved survives a restart if anything does.
pub async fn checkpoints_survive_a_restart(harness: &mut dyn AdapterHarness) {
    let name = unique("kept");
    save(&*harness.storage(), &name, at(42)).await;
    harness.restart().await;
    let kept = harness.capabilities().durable.then(|| at(42));
    let found = load(&*harness.storage(), &name).await;
    assert_eq!(found, kept, "G4: as declared");
}
