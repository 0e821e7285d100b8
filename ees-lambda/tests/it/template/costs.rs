//! What the deployment guide says that it costs is what comes of its prices and assumptions.

use std::collections::{BTreeMap, BTreeSet};

use super::alarms::metrics;
use super::environment::sources;
use super::guide::{GUIDE, rows};
use super::{TEXT, function, parse, with};

/// As Lambda and DynamoDB reckon, in KB.
const GB: f64 = 1024.0 * 1024.0;

const MILLION: f64 = 1e6;

/// A price or an assumption of the guide.
fn given(rows: &BTreeMap<&str, Vec<&str>>, name: &str) -> f64 {
    let cells = rows
        .get(name)
        .unwrap_or_else(|| panic!("the guide has no row `{name}`"));
    cells[0]
        .parse()
        .unwrap_or_else(|_| panic!("`{name}` is {cells:?}, and no number"))
}

/// What a million changesets of so many KB cost.
struct Reckoning<'a> {
    given: &'a dyn Fn(&str) -> f64,
    kilobytes: f64,
    /// Whether a REST API serves them, and not a function URL.
    rest: bool,
}

impl Reckoning<'_> {
    fn units(&self, writes: f64, reads: f64) -> f64 {
        writes * (self.given)("DynamoDB, on demand: a million write units")
            + reads * (self.given)("DynamoDB, on demand: a million read units")
    }

    /// The changeset and an entry of keys in each local index; the look at the stream's end.
    fn commit(&self) -> f64 {
        self.units(self.kilobytes + 2.0, 1.0)
    }

    /// The changeset alone; the look at the stream's end, which reads its newest changeset.
    fn commit_without_local_indexes(&self) -> f64 {
        self.units(self.kilobytes, (self.kilobytes / 4.0).ceil())
    }

    /// The position, in the table and in its index of keys, and the state; candidates and
    /// predecessors.
    fn index(&self) -> f64 {
        let read = (self.kilobytes / 4.0).ceil();
        self.units(self.kilobytes + 1.2, 2.0 * read)
    }

    /// Read once more, and a tile of 8 KB for 256 changesets.
    fn log(&self) -> f64 {
        self.statistics() + self.units(9.0 / 256.0, 0.0)
    }

    /// Read once by key, eventually consistently, after its key.
    fn statistics(&self) -> f64 {
        self.units(0.0, (self.kilobytes / 4.0).ceil() / 2.0 + 0.02)
    }

    fn original(&self) -> f64 {
        self.units(7.0 * self.kilobytes + 3.0, 2.0)
    }

    /// So many million invocations.
    fn lambda(&self, invocations: f64, milliseconds: &str) -> f64 {
        let memory = f64::from(function(&parse(TEXT), "api").memory) / 1024.0;
        let seconds = (self.given)(milliseconds) / 1000.0;
        let work = memory * seconds * (self.given)("Lambda, arm64: a GB-second") * MILLION;
        invocations * ((self.given)("Lambda: a million requests") + work)
    }

    fn batches(&self) -> f64 {
        1.0 / (self.given)("indexer, publisher: changesets in a batch")
    }

    /// A function URL costs nothing beside the function.
    fn gateway(&self) -> f64 {
        let requests = (self.given)("API Gateway, REST: a million requests");
        if self.rest { requests } else { 0.0 }
    }

    /// A reader that waits all month: an execution, its requests, and its looks at the state.
    fn reader(&self) -> f64 {
        let seconds = 30.0 * 24.0 * 3600.0 / MILLION;
        let requests = seconds / 20.0;
        let looks = seconds * (self.given)("DynamoDB, on demand: a million read units");
        let memory = f64::from(function(&parse(TEXT), "api").memory) / 1024.0;
        let work = memory * (self.given)("Lambda, arm64: a GB-second") * MILLION * seconds;
        let each = self.gateway() + (self.given)("Lambda: a million requests");
        work + looks + requests * each
    }

    /// One message for each, to one subscriber.
    fn topic(&self) -> f64 {
        let data = MILLION * self.kilobytes / GB;
        (self.given)("SNS FIFO: a million messages published")
            + (self.given)("SNS FIFO: a million messages delivered")
            + data * (self.given)("SNS FIFO: a GB published")
            + data * (self.given)("SNS FIFO: a GB delivered")
    }

    fn logs(&self) -> f64 {
        let of_batches = 2.0 * self.batches() * (self.given)("logs: bytes for a batch");
        let bytes = (self.given)("logs: bytes for a request") + of_batches;
        MILLION * bytes / (GB * 1024.0) * (self.given)("CloudWatch: a GB of logs")
    }

    /// The changeset in the table and in backups, and its entries in three indexes of keys, with what
    /// DynamoDB adds to each.
    fn kept(&self) -> f64 {
        let data = MILLION * self.kilobytes / GB;
        let entries =
            MILLION * (self.given)("an item and its index entries: KB beside the changeset") / GB;
        (data + entries) * (self.given)("DynamoDB: a GB for a month")
            + data * (self.given)("DynamoDB, point-in-time recovery: a GB for a month")
    }

    fn components(&self) -> [(&'static str, f64); 9] {
        let two = self.lambda(
            2.0 * self.batches(),
            "indexer, publisher: milliseconds for a batch",
        );
        [
            ("API Gateway", self.gateway()),
            (
                "Lambda: api",
                self.lambda(1.0, "api: milliseconds for a commit"),
            ),
            ("Lambda: indexer and publisher", two),
            ("DynamoDB: commit", self.commit()),
            ("DynamoDB: index", self.index()),
            ("DynamoDB: statistics", self.statistics()),
            ("SNS: changesets", self.topic()),
            ("SNS: events", self.topic()),
            ("CloudWatch: logs", self.logs()),
        ]
    }
}

/// The metrics that alarms look at, each of which is charged, and those that functions make: each
/// has its name and its unit in the sources, wherever it is told.
fn watched() -> (f64, f64) {
    let template = with(&[("SealerSchedule", "off")]);
    let alarms = template.of_type("AWS::CloudWatch::Alarm");
    let looked_at: Vec<_> = alarms.flat_map(metrics).collect();
    let sources: String = sources().collect();
    let units = sources.match_indices(" Unit::");
    let names = units.filter_map(|(at, _)| sources[..at].rsplit('"').nth(1));
    let made: BTreeSet<_> = names.collect();
    (count(looked_at.len()), count(made.len()))
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map(f64::from).unwrap()
}

#[test]
fn the_guide_reckons_right() {
    let rows = rows();
    let given = |name: &str| given(&rows, name);
    let columns = [(true, 1.0), (true, 10.0), (false, 1.0), (false, 10.0)];
    let reckonings = columns.map(|(rest, kilobytes)| Reckoning {
        given: &given,
        kilobytes,
        rest,
    });
    let [small, large, small_by_url, large_by_url] = &reckonings;
    let mut wanted: Vec<(&str, Vec<f64>)> = Vec::new();
    for (row, (name, _)) in small.components().into_iter().enumerate() {
        let costs = reckonings.iter().map(|of| of.components()[row].1);
        wanted.push((name, costs.collect()));
    }
    let all = |of: &Reckoning<'_>| -> f64 { of.components().iter().map(|(_, cost)| cost).sum() };
    wanted.push(("**All**", reckonings.iter().map(all).collect()));
    let least = |of: &Reckoning<'_>| all(of) - of.commit() + of.commit_without_local_indexes();
    let least = [small_by_url, large_by_url].map(least);
    assert!(least[0] < 4.0 && least[1] < 16.5, "{least:?}");
    wanted.push(("by URL, without local indexes", least.to_vec()));
    let here = |of: &Reckoning<'_>| of.commit() + of.index();
    wanted.push(("here: commit and index", vec![here(small), here(large)]));
    let alone = |of: &Reckoning<'_>| of.commit_without_local_indexes() + of.index();
    let without = "the same without local indexes";
    wanted.push((without, vec![alone(small), alone(large)]));
    let original = "the Python original: 7 S + 3 write units, 2 read units";
    wanted.push((original, vec![small.original(), large.original()]));
    let kept =
        "to keep a million changesets, with their index entries and backups for 35 days: 1 KB";
    wanted.push((kept, vec![small.kept()]));
    wanted.push(("the same: 10 KB", vec![large.kept()]));
    let (alarms, made) = watched();
    let watching = alarms * given("CloudWatch: an alarm's metric for a month")
        + made * given("CloudWatch: a metric for a month");
    wanted.push(("alarms and metrics", vec![watching]));
    wanted.push(("DynamoDB: the log", vec![small.log(), large.log()]));
    let runs = 30.0 * 24.0 * 12.0 / MILLION;
    // It looks at the state, the head and the identity.
    let head = given("sealer: write units for the head of the log, in each run");
    let sealer = small.lambda(runs, "projector: milliseconds for a run")
        + runs * small.units(head, 1.0 + head / 4.0 + 1.0);
    let row = "the sealer, every five minutes, if each run finds something";
    wanted.push((row, vec![sealer]));
    let minutes = 30.0 * 24.0 * 60.0 / MILLION;
    let projector = small.lambda(minutes, "projector: milliseconds for a run");
    wanted.push(("the projector, every minute", vec![projector]));
    wanted.push((
        "a reader that waits all the time",
        vec![small.reader(), small_by_url.reader()],
    ));
    for (name, millions, readers) in [
        ("a side project: 10,000 changesets", 0.01, 0.0),
        ("1 M changesets, 3 readers that wait", 1.0, 3.0),
        ("100 M changesets, 3 readers that wait", 100.0, 3.0),
    ] {
        let month = |of: &Reckoning<'_>| {
            watching + projector + millions * (all(of) + of.kept()) + readers * of.reader()
        };
        wanted.push((name, vec![month(small), month(small_by_url)]));
    }
    for (name, gigabytes) in [("10 GB", 10.0), ("100 GB", 100.0), ("1 TB", 1024.0)] {
        let units = gigabytes * GB / 8.0 / MILLION;
        wanted.push((name, vec![small.units(0.0, units)]));
    }

    let line = |(name, costs): &(&str, Vec<f64>)| {
        let costs: Vec<_> = costs.iter().map(|cost| format!("{cost:.2}")).collect();
        format!("| {name} | {} |", costs.join(" | "))
    };
    let lines = wanted.iter().map(line);
    let missing: Vec<_> = lines
        .filter(|line| !GUIDE.lines().any(|it| it == line))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/aws.md should say\n{}",
        missing.join("\n")
    );
}
