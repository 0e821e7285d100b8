//! `ees consumers`: how far the consumers of a server have come, and what an operator does about
//! parked streams.

mod shown;

use ees_core::consumer::ConsumerName;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::Failure;
use crate::args::{ConsumersAct, ConsumersArgs};
use crate::client::Client;

/// Asks a server, and prints its answer.
///
/// # Errors
/// [`Failure::Usage`] if the URL or the file of roots is wrong, [`Failure::Run`] if the server refuses
/// or cannot be reached.
pub async fn run(args: &ConsumersArgs) -> Result<(), Failure> {
    let client = Client::new(&args.remote).map_err(Failure::Usage)?;
    let server = Server(client);
    let (answer, text) = match &args.act {
        ConsumersAct::List => {
            let states = server.states().await?;
            let text = shown::list(&states);
            (Value::Array(states), text)
        }
        ConsumersAct::Show { name } => {
            let state = server.get(&path(name, "")).await?;
            let text = shown::consumer(&state);
            (state, text)
        }
        ConsumersAct::Parked { name, limit, after } => {
            let after = after.as_deref().unwrap_or_default();
            let after = utf8_percent_encode(after, NON_ALPHANUMERIC);
            let query = format!("/parked?limit={limit}&after={after}");
            let page = server.get(&path(name, &query)).await?;
            let text = shown::parked(&page);
            (page, text)
        }
        ConsumersAct::Retry { name, stream } => {
            let body = json!({ "stream_id": stream });
            let entry = server.post(&path(name, "/retry"), &body).await?;
            (entry, format!("{stream}: it is tried now\n"))
        }
        ConsumersAct::Skip {
            name,
            stream,
            through,
        } => {
            let body = json!({ "stream_id": stream, "through_changeset": through });
            let entry = server.post(&path(name, "/skip"), &body).await?;
            let text = format!("{stream}: skipped through changeset {through}\n");
            (entry, text)
        }
        ConsumersAct::Reset { name, checkpoint } => {
            let body = json!({ "checkpoint": checkpoint });
            let done = server.post(&path(name, "/reset"), &body).await?;
            (done, format!("{name}: reset to checkpoint {checkpoint}\n"))
        }
    };
    if args.json {
        println!("{answer}");
    } else {
        print!("{text}");
    }
    Ok(())
}

/// The path of a call. A name needs no encoding.
fn path(name: &ConsumerName, call: &str) -> String {
    format!("/consumers/{name}{call}")
}

struct Server(Client);

impl Server {
    /// The states of all consumers. One that was deleted meanwhile is left out.
    async fn states(&self) -> Result<Vec<Value>, Failure> {
        let names = self.get("/consumers").await?;
        let names = names["consumers"].as_array().cloned().unwrap_or_default();
        let mut states = Vec::new();
        for name in names.iter().filter_map(Value::as_str) {
            let answer = self.0.get(&format!("/consumers/{name}")).await;
            let answer = answer.map_err(Failure::Run)?;
            if answer.status != 404 {
                states.push(answer.accepted().map_err(Failure::Run)?);
            }
        }
        Ok(states)
    }

    async fn get(&self, path: &str) -> Result<Value, Failure> {
        let answer = self.0.get(path).await.map_err(Failure::Run)?;
        answer.accepted().map_err(Failure::Run)
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let answer = self.0.post(path, body).await.map_err(Failure::Run)?;
        answer.accepted().map_err(Failure::Run)
    }
}
