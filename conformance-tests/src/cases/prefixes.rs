//! G2, G5, G11: streams whose ids begin with the id of another one.

use crate::Harness;
use crate::model::Model;
use crate::subject::{Ask, Expect, Read, Subject, unique};
use crate::support::{
    GLOBAL_LIMIT, Place, commit_to_both, end_of_log, events, expectations_agree, head_agrees, log,
    of_streams, read_agrees,
};

/// What follows the shortest id: what sorts before, among and behind the bytes of a number, and
/// digits, which may be taken for those of one.
const ENDS: &[&str] = &[
    "",
    " ",
    "  ",
    "!",
    "/",
    "0",
    "1",
    "11",
    "12",
    "2",
    "9",
    ":",
    "a",
    "aa",
    "aaaaaaaa",
    "~",
    "é",
    "\u{ffff}",
    "\u{10ffff}",
    "\u{10ffff}\u{10ffff}",
];

/// How many changesets the shortest gets, so that its ids have two digits.
const MANY: usize = 12;

/// How many the others get.
const FEW: usize = 2;

/// The longer an id, the earlier its stream is written.
pub async fn longer_ids_are_written_first(harness: &mut dyn Harness) {
    let mut order = streams();
    order.reverse();
    hold_apart(harness, &one_after_another(&order)).await;
}

/// The shorter an id, the earlier its stream is written.
pub async fn shorter_ids_are_written_first(harness: &mut dyn Harness) {
    hold_apart(harness, &one_after_another(&streams())).await;
}

/// All streams grow at the same time.
pub async fn all_ids_are_written_in_turn(harness: &mut dyn Harness) {
    let streams = streams();
    let rounds = (0..MANY).flat_map(|round| {
        let grow = streams.iter().filter(move |(_, count)| round < *count);
        grow.map(|(name, _)| name.clone())
    });
    let rounds: Vec<_> = rounds.collect();
    hold_apart(harness, &rounds).await;
}

/// The streams, the shortest id first, and how many changesets each gets.
fn streams() -> Vec<(String, usize)> {
    let mark = unique("prefix");
    let mut streams: Vec<_> = ENDS.iter().map(|end| format!("{mark}{end}")).collect();
    streams.sort_by_key(String::len);
    let counts = (0..).map(|at| if at == 0 { MANY } else { FEW });
    streams.into_iter().zip(counts).collect()
}

fn one_after_another(streams: &[(String, usize)]) -> Vec<String> {
    let of_one = |(name, count): &(String, usize)| vec![name.clone(); *count];
    streams.iter().flat_map(of_one).collect()
}

/// Appends a changeset to each stream named, and finds every stream's own.
async fn hold_apart(harness: &dyn Harness, order: &[String]) {
    let (place, subject) = (Place::here(), harness.subject());
    let start = end_of_log(&*subject).await;
    let mut model = Model::default();
    for name in order {
        append(place, &*subject, &mut model, name).await;
    }
    let mut names = order.to_vec();
    names.sort();
    names.dedup();
    for name in &names {
        head_agrees(place, &*subject, &model, name).await;
        for read in reads(model.end(name).unwrap_or_default().changeset) {
            read_agrees(place, &*subject, &model, name, read).await;
        }
        expectations_agree(place, &*subject, &model, name).await;
    }
    for name in &names {
        append(place, &*subject, &mut model, name).await;
    }
    for name in &names {
        head_agrees(place, &*subject, &model, name).await;
    }
    harness.settle().await;
    let order = log(&*subject, start, GLOBAL_LIMIT).await;
    for name in &names {
        let placed = of_streams(&order, std::slice::from_ref(name)).len();
        let stand = model.stream(name).len();
        place.same(
            &placed,
            &stand,
            &format!("G11: `{name}` in the global order"),
        );
    }
}

/// Appends a changeset, by changeset and by event in turn.
async fn append(place: Place, subject: &dyn Subject, model: &mut Model, name: &str) {
    let end = model.end(name).unwrap_or_default();
    let expect = match end.changeset % 2 {
        0 => Expect::Changeset(end.changeset),
        _ => Expect::Event(end.event),
    };
    let mark = format!("{name}#{}", end.changeset + 1);
    let ask = Ask::new(name, expect).events(events(&mark, 1 + end.changeset % 2));
    commit_to_both(place, subject, model, &ask).await;
}

/// The whole stream, one at a time, and what ends or begins in it.
fn reads(last: u64) -> Vec<Read> {
    let read = |from, to, limit| Read {
        from,
        to,
        limit,
        backward: false,
        ..Read::default()
    };
    vec![
        Read::default(),
        read(None, None, Some(1)),
        read(Some(1), Some(1), None),
        read(Some(2), None, None),
        read(None, Some(last), None),
        read(Some(last), Some(last + 1), None),
        read(Some(last + 9), None, None),
    ]
}
