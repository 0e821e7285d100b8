//! G5, G10, G11: ids, keys, names and numbers at their smallest, their largest, and beside those.

use crate::Harness;
use crate::model::Model;
use crate::subject::{Ask, Expect, GlobalRead, Read, Subject, unique};
use crate::support::{
    AHEAD, GLOBAL_LIMIT, MAX_ID, Place, changesets_agree, commit, commit_to_both, conflict,
    end_of_log, events_agree, head, head_agrees, hold_apart, log, log_page, read_agrees, refused,
};

/// Numbers of changesets, events and checkpoints whose neighbours have another number of digits or
/// of bytes, or another sign in a byte.
const TURNS: [u64; 5] = [10, 100, 128, 256, 257];

/// A stream that is long enough for all of them.
const LENGTH: u64 = 260;

async fn long_stream(place: Place, subject: &dyn Subject) -> (String, Model) {
    let (name, mut model) = (unique("long"), Model::default());
    for last in 0..LENGTH {
        let ask = Ask::new(&name, Expect::Changeset(last)).events(format!("[{}]", last + 1));
        commit_to_both(place, subject, &mut model, &ask).await;
    }
    (name, model)
}

fn range(from: u64, to: u64) -> Read {
    Read {
        from: Some(from),
        to: Some(to),
        ..Read::default()
    }
}

/// Numbers are in order where they get another digit or another byte: in streams, by changeset and
/// by event, and in the global order.
pub async fn numbers_keep_their_order(harness: &mut dyn Harness) {
    let (place, subject) = (Place::here(), harness.subject());
    let start = end_of_log(&*subject).await;
    let (name, model) = long_stream(place, &*subject).await;
    head_agrees(place, &*subject, &model, &name).await;
    read_agrees(place, &*subject, &model, &name, Read::default()).await;
    for turn in TURNS {
        for read in [
            range(turn - 1, turn + 1),
            range(turn, turn),
            range(turn, LENGTH),
            range(1, turn - 1),
        ] {
            read_agrees(place, &*subject, &model, &name, read).await;
        }
        let told = conflict(&*subject, &Ask::new(&name, Expect::Changeset(turn - 1))).await;
        let first = told.items.first().map(|changeset| changeset.changeset_id);
        assert_eq!(first, Some(turn), "G2: a conflict behind {}", turn - 1);
    }
    harness.settle().await;
    let order = log(&*subject, start, GLOBAL_LIMIT).await;
    assert!(order.len() as u64 >= LENGTH, "G6: all of it");
    for (checkpoint, changeset) in (start..).zip(&order) {
        let is_turn = |turn| (turn - 1..=turn + 1).contains(&checkpoint);
        if TURNS.into_iter().any(is_turn) || (255..=257).contains(&(checkpoint % 1000)) {
            let page = log_page(&*subject, GlobalRead::from(checkpoint).limit(2)).await;
            assert_eq!(page.first(), Some(changeset), "G6: at {checkpoint}");
        }
    }
}

/// So are those of events where they get a third byte.
pub async fn event_numbers_keep_their_order(harness: &mut dyn Harness) {
    const MANY: usize = 21_844;
    let (place, subject) = (Place::here(), harness.subject());
    let (name, mut model) = (unique("events"), Model::default());
    let sizes = [MANY, MANY, MANY, 2, 1, 1, 2, 1];
    for (last, size) in (0..).zip(sizes) {
        let ask = Ask::new(&name, Expect::Changeset(last));
        let ask = ask.events(format!("[{}]", vec!["1"; size].join(",")));
        commit_to_both(place, &*subject, &mut model, &ask).await;
    }
    head_agrees(place, &*subject, &model, &name).await;
    let turn = 1 << 16;
    for (from, to) in [
        (turn - 2, turn + 1),
        (turn - 1, turn),
        (turn, turn),
        (turn + 1, turn + 9),
        (turn - 5, turn - 1),
    ] {
        for backward in [false, true] {
            let read = Read {
                backward,
                ..range(from, to)
            };
            events_agree(place, &*subject, &model, &name, read).await;
        }
    }
    for last in [turn - 2, turn - 1, turn] {
        let told = conflict(&*subject, &Ask::new(&name, Expect::Event(last))).await;
        let reaches = told
            .items
            .first()
            .map(|c| (c.first_event_id..=c.last_event_id).contains(&(last + 1)));
        assert_eq!(reaches, Some(true), "G2: a conflict behind event {last}");
    }
}

/// Ranges may begin and end anywhere from 0 to the largest number there is.
pub async fn ranges_reach_to_the_ends(harness: &mut dyn Harness) {
    let (place, subject) = (Place::here(), harness.subject());
    let (name, mut model) = (unique("ends"), Model::default());
    for (last, events) in (0..).zip(["[1,2]", "[3]", "[4,5,6]"]) {
        let ask = Ask::new(&name, Expect::Changeset(last)).events(events);
        commit_to_both(place, &*subject, &mut model, &ask).await;
    }
    let ends = [0, 1, 2, 3, 6, 7, MAX_ID - 1, MAX_ID];
    for from in ends {
        for to in ends.into_iter().filter(|to| *to >= from) {
            read_agrees(place, &*subject, &model, &name, range(from, to)).await;
        }
        let open = Read {
            from: Some(from),
            limit: Some(2),
            ..Read::default()
        };
        read_agrees(place, &*subject, &model, &name, open).await;
        let below = Read {
            to: Some(from),
            limit: Some(2),
            ..Read::default()
        };
        changesets_agree(place, &*subject, &model, &name, below).await;
    }
}

/// The largest numbers cannot be expected of any stream, and do no harm.
pub async fn the_largest_expectations_are_refused(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (name, missing) = (unique("largest"), unique("missing"));
    commit(&*subject, &Ask::new(&name, Expect::Changeset(0))).await;
    for last in [MAX_ID - 1, MAX_ID] {
        for expect in [Expect::Changeset(last), Expect::Event(last)] {
            refused(&*subject, &Ask::new(&name, expect), AHEAD).await;
            refused(&*subject, &Ask::new(&missing, expect), AHEAD).await;
        }
    }
    let last = head(&*subject, &name).await.last_changeset;
    assert_eq!(last, 1, "G12: nothing was written");
    commit(&*subject, &Ask::new(&name, Expect::Changeset(1))).await;
    commit(&*subject, &Ask::new(&missing, Expect::Event(0))).await;
}

/// Stream ids up to 1024 bytes, of which one is the beginning of the next, or differs from it by
/// its last character alone.
pub async fn stream_ids_of_every_length(harness: &mut dyn Harness) {
    let mark = unique("length");
    let fill = |filler: &str, bytes: usize| {
        let fillers = (bytes - mark.len()) / filler.len();
        let rest = "x".repeat((bytes - mark.len()) % filler.len());
        format!("{mark}{rest}{}", filler.repeat(fillers))
    };
    let lengths = [
        64, 127, 128, 255, 256, 257, 511, 512, 767, 768, 1022, 1023, 1024,
    ];
    let mut names: Vec<_> = lengths.iter().map(|bytes| fill("x", *bytes)).collect();
    for last in ["y", "X", " ", "/", "~"] {
        names.push(format!("{}{last}", fill("x", 1023)));
    }
    for filler in ["é", "日", "😀", "\u{10ffff}", "e\u{301}"] {
        names.extend([1020, 1023, 1024].map(|bytes| fill(filler, bytes)));
    }
    hold_apart(harness, names).await;
}

/// Stream ids with every printable character of ASCII, and with the first and last of each class
/// of others, at their end and at their beginning.
pub async fn stream_ids_of_every_character(harness: &mut dyn Harness) {
    let mark = unique("class");
    let others = "\u{a0}\u{ff}\u{100}\u{7ff}\u{800}\u{301}\u{200d}\u{2028}\u{2029}\u{d7ff}\u{e000}\
                  \u{fffd}\u{fffe}\u{ffff}\u{10000}\u{1f600}\u{10ffff}";
    let all = (' '..='~').chain(others.chars());
    let names =
        all.flat_map(|character| [format!("{mark}{character}"), format!("{character}{mark}")]);
    hold_apart(harness, names.collect()).await;
}

/// Each printable character is a key that differs from all others.
pub async fn keys_of_every_character(harness: &mut dyn Harness) {
    let (subject, name) = (harness.subject(), unique("characters"));
    let keys: Vec<String> = ('!'..='~').map(String::from).collect();
    let ask = |last, key: &String| Ask::new(&name, Expect::Changeset(last)).key(key);
    for (last, key) in (0..).zip(&keys) {
        commit(&*subject, &ask(last, key)).await;
    }
    for (last, key) in (0..).zip(&keys) {
        let again = commit(&*subject, &ask(last, key)).await;
        assert_eq!(again.changeset_id, last + 1, "G10: the key `{key}`");
        conflict(&*subject, &ask(last, &format!("{key}{key}"))).await;
    }
    for (id, key) in (1..).zip(&keys) {
        let far = commit(&*subject, &ask(0, key)).await;
        assert_eq!(far.changeset_id, id, "G10: the key `{key}` and no other");
    }
}

/// Keys of 255 characters count to the last one.
pub async fn keys_of_every_length(harness: &mut dyn Harness) {
    let subject = harness.subject();
    for length in [1, 2, 31, 32, 36, 63, 64, 127, 128, 191, 254, 255] {
        let name = unique("keys");
        let ask = |key: &str| Ask::new(&name, Expect::Changeset(0)).key(key);
        let key = format!("{}z", "k".repeat(length - 1));
        let first = commit(&*subject, &ask(&key)).await;
        let again = commit(&*subject, &ask(&key)).await;
        assert_eq!(again.timestamp, first.timestamp, "G10: a key of {length}");
        let shorter = &key[..length - 1];
        let mut others = vec![
            format!("{shorter}Z"),
            format!("{shorter}y"),
            key.to_uppercase(),
        ];
        if length > 1 {
            others.extend([shorter.to_owned(), key.replacen('k', "K", 1)]);
        }
        if length < 255 {
            others.push(format!("{key}z"));
        }
        for other in others {
            conflict(&*subject, &ask(&other)).await;
        }
    }
}
