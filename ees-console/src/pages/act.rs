//! The actions of operators.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use ees_core::consumer::{ConsumerName, Consumers};
use ees_core::{ChangesetId, StreamId};
use ees_http::Right;

use super::consumers::reached;
use crate::app::App;
use crate::extract::Form;
use crate::fault::Fault;
use crate::fields::query;
use crate::newest::position;
use crate::view::Refusal;

/// Tries a parked stream at once.
pub(crate) async fn retry(State(app): State<App>, form: Form) -> Result<Response, Refusal> {
    let retried = async {
        let (consumers, name) = asked_for(&app, &form)?;
        let stream_id = stream(&form)?;
        app.act(consumers.retry(&name, &stream_id)).await
    };
    done(&form, "retry", retried.await.map(drop))
}

/// Skips changesets of a parked stream.
pub(crate) async fn skip(State(app): State<App>, form: Form) -> Result<Response, Refusal> {
    let skipped = async {
        let (consumers, name) = asked_for(&app, &form)?;
        let stream_id = stream(&form)?;
        let through = ChangesetId::new(number(&form, "through")?);
        let through = through.map_err(|wrong| Fault::Wrong(wrong.to_string()))?;
        app.act(consumers.skip(&name, &stream_id, through)).await
    };
    done(&form, "skip", skipped.await.map(drop))
}

/// Moves a consumer.
pub(crate) async fn reset(State(app): State<App>, form: Form) -> Result<Response, Refusal> {
    let reset = async {
        let (consumers, name) = asked_for(&app, &form)?;
        let checkpoint = position(number(&form, "checkpoint")?);
        app.act(consumers.reset(&name, checkpoint)).await
    };
    done(&form, "reset", reset.await)
}

/// The consumer that a form names, for a viewer who may change it.
fn asked_for(app: &App, form: &Form) -> Result<(Consumers, ConsumerName), Fault> {
    let viewer = &form.asked.viewer;
    viewer.needs(Right::Admin)?;
    let name = form.fields.get("name").unwrap_or_default();
    let name = name.parse::<ConsumerName>();
    let name = name.map_err(|wrong| Fault::Wrong(wrong.to_string()))?;
    Ok((reached(app, viewer)?, name))
}

fn stream(form: &Form) -> Result<StreamId, Fault> {
    let id = form.fields.verbatim("stream").unwrap_or_default();
    id.parse::<StreamId>()
        .map_err(|wrong| Fault::Wrong(wrong.to_string()))
}

fn number(form: &Form, name: &str) -> Result<u64, Fault> {
    let number = form.fields.number(name).map_err(Fault::Wrong)?;
    number.ok_or_else(|| Fault::Wrong(format!("`{name}` is missing")))
}

/// Leads back to the consumer, or says what stood in the way. The log tells who did what.
fn done(form: &Form, act: &str, result: Result<(), Fault>) -> Result<Response, Refusal> {
    let consumer = form.fields.get("name").unwrap_or_default();
    let key = form.asked.viewer.name().unwrap_or("none");
    match result {
        Ok(()) => {
            tracing::info!(act, consumer, key, "an operator has changed a consumer");
            let path = query(&[("name", consumer), ("done", act)]);
            Ok(Redirect::to(&format!("/console/consumer{path}")).into_response())
        }
        Err(fault) => Err(Refusal::of(&form.asked, fault)),
    }
}
