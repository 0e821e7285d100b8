//! The stack, as the control plane shows it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::running::Running;
use super::starting::Starting;
use crate::control::{Invocable, Listed, Stack};
use crate::mapping::Controls;
use crate::template::Template;

/// The stack with what an operator may look at and call.
pub(super) fn stack(
    template: &Template,
    starting: &Starting,
    url: &str,
    functions: &BTreeMap<String, Running>,
    mappings: &BTreeMap<String, Vec<Arc<Controls>>>,
) -> Stack {
    let invocable = |running: &Running| {
        let function = Arc::clone(&running.function);
        let queue = running.queue.clone();
        let name = running.settings.name.clone();
        (name, Invocable { function, queue })
    };
    let listed = functions.values().flat_map(|running| {
        let id = &running.settings.id;
        running.settings.mappings.iter().filter_map(move |mapping| {
            let all = mappings.get(&format!("{id}/{}", mapping.id))?;
            Some(Listed {
                function_arn: running.settings.arn.clone(),
                stream_arn: mapping.stream.clone(),
                controls: Arc::clone(all.first()?),
            })
        })
    });
    Stack {
        name: template.stack().to_owned(),
        outputs: outputs(template, starting, url),
        functions: functions.values().map(invocable).collect(),
        mappings: listed.collect(),
        concurrency: starting.options.concurrency,
        deleted: AtomicBool::new(false),
    }
}

/// The outputs, with the URLs that lead to this machine.
fn outputs(template: &Template, starting: &Starting, url: &str) -> BTreeMap<String, String> {
    let output = |(name, value): (&String, &serde_json::Value)| {
        let value = value.as_str().unwrap_or_default();
        let value = if value.contains(".execute-api.") || value.contains(".lambda-url.") {
            format!("{url}/")
        } else if let Some((_, queue)) = value.split_once(".amazonaws.com/123456789012/") {
            starting.services.queue_url(queue)
        } else {
            value.to_owned()
        };
        (name.clone(), value)
    };
    template.outputs().iter().map(output).collect()
}
