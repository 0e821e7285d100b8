//! The store against other event stores, in turns, with the load of all benchmarks. `docs/performance.md`
//! explains the figures.
//!
//! UmaDB's build needs `protoc`: on Debian, `apt-get install protobuf-compiler`.
//!
//! ```console
//! cargo build --release
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- --help
//! ```

mod adapter;
mod ours;
mod spent;
mod umadb;

use std::path::PathBuf;
use std::time::Duration;

use benches_kit::chart::{self, Chart, Panel};
use benches_kit::load::Streams;
use benches_kit::report::{self, Rounds, compare, rate};
use clap::{Parser, ValueEnum};

use crate::adapter::Adapter;
use crate::ours::Ours;
use crate::umadb::UmaDb;

/// Compares `ees serve` on SQLite with other event stores, on this machine.
#[derive(Debug, Parser)]
struct Args {
    /// The benchmarks to run; default: all
    #[arg(value_enum)]
    only: Vec<Benchmark>,
    /// The server that is measured
    #[arg(long, default_value = "target/release/ees")]
    server: PathBuf,
    /// The number of rounds; in each, the two sides run in turn
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// The duration of each side in a round, in milliseconds
    #[arg(long, default_value_t = 1000)]
    millis: u64,
    /// The least number of changesets that are read
    #[arg(long, default_value_t = 50_000)]
    changesets: u64,
    /// Draws the comparisons into this file, as SVG
    #[arg(long)]
    chart: Option<PathBuf>,
    /// Serves UmaDB from this file, and compares nothing
    #[arg(long, hide = true)]
    serve_umadb: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Benchmark {
    /// Appends of 1, 16 and 64 clients against UmaDB: plain HTTP against its client
    Append,
    /// The same with ees-client against UmaDB's client
    AppendClients,
    /// Reading the global order against UmaDB: plain HTTP, and ees-client, against its client
    Read,
    /// Appends over HTTP against event-store-adapter-rs on SQLite in process
    Adapter,
}

const CLIENTS: [usize; 3] = [1, 16, 64];

#[tokio::main]
async fn main() {
    let args = Args::parse();
    if let Some(file) = &args.serve_umadb {
        umadb::serve(file).await;
        return;
    }
    let rounds = Rounds {
        count: args.rounds.max(1),
        length: Duration::from_millis(args.millis.max(1)),
    };
    let flush = report::flush_time();
    println!("fdatasync of 4 KiB on this disk: {flush}");
    let mut chart = Chart::new(
        "ees serve on SQLite against other event stores",
        &format!(
            "Medians of {} rounds, of the ratios too; lines show the range. An fdatasync of 4 KiB took {flush}.",
            rounds.count
        ),
    );
    let wanted = |benchmark| args.only.is_empty() || args.only.contains(&benchmark);
    if wanted(Benchmark::Append) {
        chart.add(append(&args, rounds).await);
    }
    if wanted(Benchmark::AppendClients) {
        chart.add(append_clients(&args, rounds).await);
    }
    if wanted(Benchmark::Read) {
        chart.add(read(&args, rounds).await);
    }
    if wanted(Benchmark::Adapter) {
        chart.add(append_adapter(&args, rounds).await);
    }
    if let Some(file) = &args.chart {
        chart.write(file);
    }
}

async fn append(args: &Args, rounds: Rounds) -> Panel {
    let mut panel = Panel::new("Appends a second: HTTP against UmaDB's client");
    for count in CLIENTS {
        let (ours, theirs) = (Ours::start(&args.server), UmaDb::start());
        let mut clients = ours.clients(count).await;
        let mut their_clients = theirs.clients(count).await;
        let streams = Streams::of_length(0);
        let compared = spent::compare(
            &format!("append on SQLite over HTTP, clients: {count}, against UmaDB"),
            rounds,
            [&ours.process, &theirs.process],
            async |length| benches_kit::client::append(&mut clients, &streams, length).await,
            async |length| theirs.append(&mut their_clients, length).await,
        )
        .await;
        panel.add(
            &chart::clients(count as u64),
            ["ees serve", "UmaDB"],
            &compared,
        );
    }
    panel
}

async fn append_clients(args: &Args, rounds: Rounds) -> Panel {
    let mut panel = Panel::new("Appends a second: ees-client against UmaDB's client");
    for count in CLIENTS {
        let (ours, theirs) = (Ours::start(&args.server), UmaDb::start());
        let mut clients = ours.own_clients(count);
        let mut their_clients = theirs.clients(count).await;
        let streams = Streams::of_length(0);
        let compared = spent::compare(
            &format!("append with ees-client, clients: {count}, against UmaDB"),
            rounds,
            [&ours.process, &theirs.process],
            async |length| ours::append(&mut clients, &streams, length).await,
            async |length| theirs.append(&mut their_clients, length).await,
        )
        .await;
        let sides = ["ees serve, ees-client", "UmaDB, umadb-client"];
        panel.add(&chart::clients(count as u64), sides, &compared);
    }
    panel
}

async fn read(args: &Args, rounds: Rounds) -> Panel {
    let mut panel = Panel::new("Events of the global order read a second, by one client");
    let (ours, theirs) = (Ours::start(&args.server), UmaDb::start());
    let ours_total = ours.fill(args.changesets).await;
    theirs.fill(args.changesets).await;
    let mut client = ours.clients(1).await.remove(0);
    let own = ours.own_clients(1).remove(0);
    let their_client = theirs.clients(1).await.remove(0);
    let servers = [&ours.process, &theirs.process];
    let compared = spent::compare(
        "events of the global order over HTTP, in pages of 1000 changesets, against UmaDB",
        rounds,
        servers,
        async |length| rate(length, async || ours::read(&mut client, ours_total).await).await,
        async |length| rate(length, async || their_client.read().await).await,
    )
    .await;
    let sides = ["ees serve, pages as bytes", "UmaDB, umadb-client"];
    panel.add("pages over HTTP", sides, &compared);
    let compared = spent::compare(
        "events of the global order as an event stream, against UmaDB",
        rounds,
        servers,
        async |length| rate(length, async || ours.stream(ours_total).await).await,
        async |length| rate(length, async || their_client.read().await).await,
    )
    .await;
    let sides = ["ees serve, an event stream as bytes", "UmaDB, umadb-client"];
    panel.add("an event stream", sides, &compared);
    let compared = spent::compare(
        "events of the global order with ees-client, against UmaDB",
        rounds,
        servers,
        async |length| rate(length, async || ours::follow(&own, ours_total).await).await,
        async |length| rate(length, async || their_client.read().await).await,
    )
    .await;
    let sides = ["ees serve, ees-client", "UmaDB, umadb-client"];
    panel.add("with each one's client", sides, &compared);
    panel
}

async fn append_adapter(args: &Args, rounds: Rounds) -> Panel {
    let mut panel = Panel::new("Appends a second: HTTP against event-store-adapter-rs in process");
    for count in CLIENTS {
        let (ours, theirs) = (Ours::start(&args.server), Adapter::create());
        let mut clients = ours.clients(count).await;
        let streams = Streams::of_length(0);
        let compared = compare(
            &format!(
                "append on SQLite over HTTP, clients: {count}, against event-store-adapter-rs"
            ),
            rounds,
            async |length| benches_kit::client::append(&mut clients, &streams, length).await,
            async |length| theirs.append(count as u64, length),
        )
        .await;
        let sides = ["ees serve", "event-store-adapter-rs, SQLite"];
        panel.add(&chart::clients(count as u64), sides, &compared);
    }
    panel
}
