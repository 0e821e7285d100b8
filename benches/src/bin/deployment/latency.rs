//! The latency of single commits: until the checkpoint, and until a subscriber gets the message.

use std::time::{Duration, Instant};

use benches::load;
use benches::report::{Spread, percentile, spread};
use hyper::Method;
use tokio::time::sleep;

use crate::args::Args;
use crate::pipeline::{INDEXER, PUBLISHER, Pipeline};

/// A part of the latency: the time of each commit, and how much of it functions waited for
/// services, in milliseconds.
#[derive(Debug)]
struct Part {
    name: &'static str,
    times: Vec<f64>,
    in_service: Vec<f64>,
}

const PARTS: [&str; 7] = [
    "commit, until it is answered",
    "from there to its checkpoint",
    "  until the indexer asks DynamoDB",
    "  from there until a reader gets it",
    "from the answer to a subscriber",
    "  until the publisher asks SNS",
    "  from there until the subscriber gets it",
];

pub(crate) async fn measure(args: &Args) {
    let pipeline = Pipeline::start(args).await;
    pipeline.subscribe().await;
    let (mut client, stage) = pipeline.client().await;
    let mut parts = PARTS.map(Part::new);
    // The first ones start the functions.
    let warm_up = 5;
    for number in 0..args.commits + warm_up {
        scatter(&pipeline, number, Duration::from_millis(args.poll)).await;
        let asked = Instant::now();
        let (stream, last) = (
            u64::from(number) % load::STREAMS,
            u64::from(number) / load::STREAMS,
        );
        let path = format!("{stage}/streams/order-{stream}?expected_last_changeset={last}");
        client.call(Method::POST, &path, load::body(last)).await;
        let committed = Instant::now();
        let (checkpoint, (received, message)) = tokio::join!(
            async {
                pipeline.await_order(u64::from(number) + 1).await;
                Instant::now()
            },
            async {
                let message = pipeline.await_message().await;
                (Instant::now(), message)
            }
        );
        assert_eq!(message.body["stream_id"], format!("order-{stream}"));
        pipeline.delete(message).await;
        // The remaining work for this commit must not delay the next one.
        pipeline.aws.settle().await;
        let indexed_from = pipeline.dynamodb.first_since(committed).unwrap();
        let published_from = pipeline.sns.first_since(committed).unwrap();
        if number < warm_up {
            continue;
        }
        let Pipeline { dynamodb, sns, .. } = &pipeline;
        let spans = [
            (asked, committed, dynamodb),
            (committed, checkpoint, dynamodb),
            (committed, indexed_from, dynamodb),
            (indexed_from, checkpoint, dynamodb),
            (committed, received, sns),
            (committed, published_from, sns),
            (published_from, received, sns),
        ];
        for (part, (from, to, service)) in parts.iter_mut().zip(spans) {
            part.times.push(millis(to - from));
            part.in_service.push(millis(service.busy(from, to)));
        }
    }
    println!(
        "{} commits, one at a time; mappings poll every {} ms; {} ms added to each request",
        args.commits, args.poll, args.delay
    );
    for part in parts {
        part.print();
    }
}

/// Gives the polls of the two mappings independent phases, also relative to the next commit.
/// Otherwise each mapping would poll at a fixed time after its last delivery.
async fn scatter(pipeline: &Pipeline, number: u32, poll: Duration) {
    for mapping in [INDEXER, PUBLISHER] {
        pipeline.aws.pause(mapping, true).unwrap();
    }
    // Wait until both are paused.
    sleep(poll + poll / 10).await;
    // Multiples of these lie evenly between 0 and 1 (R. Kronecker).
    let parts = [0.754_877_666, 0.569_840_291].map(|step| (f64::from(number) * step).fract());
    let resume = async |mapping, part| {
        sleep(poll.mul_f64(part)).await;
        pipeline.aws.pause(mapping, false).unwrap();
        sleep(poll.mul_f64(1.0 - part)).await;
    };
    tokio::join!(resume(INDEXER, parts[0]), resume(PUBLISHER, parts[1]));
}

impl Part {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            times: Vec::new(),
            in_service: Vec::new(),
        }
    }

    fn print(self) {
        let Self {
            name,
            times,
            in_service,
        } = self;
        let Spread { median, .. } = spread(times.iter().copied());
        let p99 = percentile(times.into_iter(), 99);
        let waited = spread(in_service.into_iter()).median;
        println!(
            "{name}: median {median:.0} ms, of which {waited:.0} in its service; p99 {p99:.0} ms"
        );
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
