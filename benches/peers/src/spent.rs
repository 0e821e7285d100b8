//! The processor time that both sides take for a unit of work. Other programs on the machine disturb it less
//! than the rates.

use std::time::{Duration, Instant};

use benches_kit::process::Process;
use benches_kit::report::{self, Comparison, Rounds, cpu_time};

/// Compares like [`report::compare`], and prints the processor time that each unit took in the server and
/// in the client, which is this process.
pub(crate) async fn compare(
    name: &str,
    rounds: Rounds,
    servers: [&Process; 2],
    mut measured: impl AsyncFnMut(Duration) -> f64,
    mut baseline: impl AsyncFnMut(Duration) -> f64,
) -> Comparison {
    let [mut ours, mut theirs] = servers.map(Spent::in_server);
    let compared = report::compare(
        name,
        rounds,
        async |length| ours.spend(measured(length)).await,
        async |length| theirs.spend(baseline(length)).await,
    )
    .await;
    println!(
        "    processor time: {}, against {}",
        ours.told(),
        theirs.told()
    );
    compared
}

/// What one side has done, and the time that it took.
struct Spent<'a> {
    process: &'a Process,
    units: f64,
    server: Duration,
    client: Duration,
}

impl<'a> Spent<'a> {
    fn in_server(process: &'a Process) -> Self {
        Self {
            process,
            units: 0.0,
            server: Duration::ZERO,
            client: Duration::ZERO,
        }
    }

    /// Does work that has this rate.
    async fn spend(&mut self, work: impl Future<Output = f64>) -> f64 {
        let (begun, server, client) = (Instant::now(), self.process.processor_time(), cpu_time());
        let rate = work.await;
        self.units += rate * begun.elapsed().as_secs_f64();
        self.server += self.process.processor_time().saturating_sub(server);
        self.client += cpu_time().saturating_sub(client);
        rate
    }

    fn told(&self) -> String {
        let each = |time: Duration| time.as_secs_f64() * 1e6 / self.units;
        let (server, client) = (each(self.server), each(self.client));
        format!("{server:.2} us in the server and {client:.2} us in the client")
    }
}
