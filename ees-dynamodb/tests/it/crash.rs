//! SIGKILL of two processes with indexers on the same tables.

use std::sync::Arc;
use std::time::Duration;

use ees_conformance::crash::CrashHarness;
use ees_conformance::subject::unique;
use ees_dynamodb::DynamoConfig;
use ees_dynamodb_testkit::Emulator;

use crate::store::{Watched, create, open, sweep, watch};

struct Dynamo {
    emulator: Emulator,
    table: String,
}

/// The configuration that a location names.
fn config(location: &str) -> DynamoConfig {
    location.parse().expect("a URL")
}

impl CrashHarness for Dynamo {
    type Storage = Watched;

    const PROCESSES: usize = 2;

    async fn start() -> Self {
        Self {
            emulator: Emulator::start().expect("an emulator"),
            table: unique("ees"),
        }
    }

    fn location(&self) -> String {
        let endpoint = self.emulator.endpoint();
        format!("dynamodb://{}?endpoint={endpoint}", self.table)
    }

    async fn open(location: &str) -> Arc<Watched> {
        let config = config(location);
        create(&config).await;
        watch(&config).await.1
    }

    async fn settle(&self) {
        sweep(open(&config(&self.location())).await).await;
    }

    /// An emulator that is part of this process takes its share of the machine.
    fn time_limit(&self) -> Duration {
        Duration::from_mins(10)
    }
}

ees_conformance::crash_suite!(Dynamo, mod suite);
