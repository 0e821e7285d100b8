//! Schedules and the events that they send to their functions.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::running::Running;
use crate::template;

/// Runs the schedules that have a rate. Others name times of day and run only on request.
pub(super) fn run(functions: &BTreeMap<String, Running>, tasks: &mut JoinSet<()>) {
    for running in functions.values() {
        for schedule in running
            .settings
            .schedules
            .iter()
            .filter(|schedule| schedule.enabled)
        {
            let Some(period) = schedule.period() else {
                continue;
            };
            let (queue, schedule) = (running.queue.clone(), schedule.clone());
            tasks.spawn(async move {
                loop {
                    tokio::time::sleep(period).await;
                    queue.push(event(&schedule)).await;
                }
            });
        }
    }
}

/// The event that a schedule sends to its function.
pub(super) fn event(schedule: &template::Schedule) -> Value {
    let input = schedule.input.as_deref().map(serde_json::from_str);
    input.and_then(Result::ok).unwrap_or_else(|| {
        json!({
            "version": "0",
            "id": uuid::Uuid::new_v4().to_string(),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": "123456789012",
            "time": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "region": "us-east-1",
            "resources": [format!("arn:aws:events:us-east-1:123456789012:rule/{}", schedule.id)],
            "detail": {},
        })
    })
}
