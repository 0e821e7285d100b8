//! Measures the changesets per second through the pipeline, once they wait in the table's stream.

use std::time::{Duration, Instant};

use benches::dynamodb::{commit_to, one_by_one};
use benches::load;
use benches::report::{Spread, per_second, spread};

use crate::args::Args;
use crate::pipeline::{INDEXER, PUBLISHER, Pipeline};

/// Changesets per second.
struct Rates {
    to_checkpoint: f64,
    to_topics: f64,
    plain: f64,
    /// The share of the time during which a function waited for SNS.
    in_sns: f64,
}

pub(crate) async fn measure(args: &Args) {
    let mut rounds = Vec::new();
    // The first round warms all sides up.
    for round in 0..=args.rounds.max(1) {
        let rates = run(args).await;
        if round > 0 {
            rounds.push(rates);
        }
    }
    let rate = |of: fn(&Rates) -> f64| spread(rounds.iter().map(of));
    for (name, of) in [
        (
            "to their checkpoints",
            (|r| r.to_checkpoint) as fn(&Rates) -> f64,
        ),
        ("to SNS", |r| r.to_topics),
    ] {
        let ratios = rounds.iter().map(|rates| of(rates) / rates.plain);
        let Spread {
            least,
            median,
            most,
        } = spread(ratios);
        println!(
            "{} changesets {name}: {:.0}/s, {median:.1}x (rounds {least:.1} to {most:.1}) of the \
             plain indexer's {:.0}/s",
            args.changesets,
            rate(of).median,
            rate(|r| r.plain).median
        );
    }
    let share = rate(|r| r.in_sns).median * 100.0;
    println!("in {share:.0}% of that time the publisher waited for SNS");
}

async fn run(args: &Args) -> Rates {
    let plain = one_by_one(args.delay(), 20).await.rate;
    let pipeline = Pipeline::start(args).await;
    // The first changeset starts the functions.
    commit_to(&pipeline.store, load::STREAMS, 0).await;
    pipeline.await_published(1).await;
    for mapping in [INDEXER, PUBLISHER] {
        pipeline.aws.pause(mapping, true).unwrap();
    }
    for number in 0..args.changesets {
        let (stream, last) = (number % load::STREAMS, number / load::STREAMS);
        commit_to(&pipeline.store, stream, last).await;
    }
    let begun = Instant::now();
    for mapping in [INDEXER, PUBLISHER] {
        pipeline.aws.pause(mapping, false).unwrap();
    }
    let rate = |elapsed: Duration| per_second(args.changesets, elapsed);
    let all = args.changesets + 1;
    let (to_checkpoint, ()) = tokio::join!(
        async {
            pipeline.await_order(all).await;
            rate(begun.elapsed())
        },
        pipeline.await_published(all)
    );
    let ended = Instant::now();
    let waited = pipeline.sns.busy(begun, ended);
    Rates {
        to_checkpoint,
        to_topics: rate(ended - begun),
        plain,
        in_sns: waited.as_secs_f64() / (ended - begun).as_secs_f64(),
    }
}
