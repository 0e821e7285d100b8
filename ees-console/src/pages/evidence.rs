//! The verifiable log: how far it is sealed, and the proof for a changeset.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use ees_evidence::{LogHead, SignedHead};
use maud::{Markup, html};

use super::overview::first_steps;
use crate::app::App;
use crate::asked::Asked;
use crate::fault::Fault;
use crate::newest::position;
use crate::sealed::{holds, log};
use crate::view::{Curl, Frame, Refusal, Section, amount, command, page as framed, quoted, shown};

/// How a key for the log is made, and given to a server.
const SIGN: &str = "ees log keygen --origin example.com/shop --out shop-log.key\n\
                    ees serve --storage sqlite:shop.db --log-key shop-log.key";

/// What a page shows: the sealed head, the end of the order, and the proof that was asked for.
struct Seen {
    sealed: Option<LogHead>,
    end: u64,
    /// The checkpoint, and its proof or why there is none.
    proof: Option<(u64, Result<String, String>)>,
}

pub(crate) async fn page(State(app): State<App>, asked: Asked) -> Result<Response, Refusal> {
    let refuse = |fault| Refusal::of(&asked, fault);
    let _turn = app.turn().await.map_err(refuse)?;
    let seen = look(&app, &asked).await.map_err(refuse)?;
    let content = html! {
        h1 { "Evidence" }
        p.lead { "The verifiable log: whoever keeps its head can prove later what the store held, and notices if it is changed." }
        @match &seen.sealed {
            Some(sealed) => { (head(&app, sealed, seen.end)) }
            None => { (nothing_sealed(&app, &asked, seen.end)) }
        }
        (proof(&asked, &seen))
    };
    let mut frame = Frame::new("Evidence", &asked, Section::Evidence);
    let mut path = "/log/head".to_owned();
    if let Some((checkpoint, proof)) = &seen.proof {
        path = format!("/log/proof?checkpoint={checkpoint}");
        if proof.is_err() {
            frame.status = StatusCode::NOT_FOUND;
        }
    }
    frame.refresh = (!matches!(seen.proof, Some((_, Ok(_))))).then_some(10);
    let curl = Curl {
        path: &path,
        ..Curl::default()
    };
    Ok(framed(&frame, &content, Some(&command(&curl.text(&asked)))))
}

async fn look(app: &App, asked: &Asked) -> Result<Seen, Fault> {
    let log = log(app, &asked.viewer)?;
    let checkpoint = asked.fields.number("checkpoint").map_err(Fault::Wrong)?;
    let sealed = app.read(log.head()).await?;
    // After the head, which is at most at the end of the order at its time.
    let end = app.read(app.store.next_checkpoint()).await?.get();
    let proof = match checkpoint {
        None => None,
        Some(checkpoint) => match app.read(log.proof(position(checkpoint), None)).await {
            Err(Fault::Missing(why)) => Some((checkpoint, Err(why))),
            proof => Some((checkpoint, Ok(proof?))),
        },
    };
    Ok(Seen { sealed, end, proof })
}

fn head(app: &App, sealed: &LogHead, end: u64) -> Markup {
    let signed = sealed.signed.last();
    let origin = signed.map(|signed| SignedHead::open(&signed.note, None));
    html! {
        @if sealed.size > end {
            p.bad-news role="alert" { "The log is ahead of the order, which ends at " (amount(end)) ": the store was restored without its log, or has lost changesets. Nothing is sealed any more." }
        }
        dl.tiles {
            div { dt { "Sealed changesets" } dd { (amount(sealed.size)) } }
            div { dt { "Signed up to size" } dd { @if let Some(signed) = signed { (amount(signed.size)) } @else { "not signed" } } }
            div.wide { dt { "What holds it" } dd.words { (holds(app, end.saturating_sub(sealed.size))) } }
        }
        h2 { "Root at size " (amount(sealed.size)) }
        (command(&sealed.root.to_string()))
        @match (signed, origin) {
            (Some(signed), Some(Ok(origin))) => {
                h2 { "The newest signed head" }
                p { "Of the log " code { (shown(&origin.origin)) } ", at size " (amount(signed.size)) ". Keep it where nobody who can change the store can change it." }
                (command(&signed.note))
            }
            (_, Some(Err(error))) => { p.bad-news role="alert" { "The newest signed head is damaged: " (shown(&error.to_string())) } }
            _ => {
                p.note { "No head is signed, so there are no proofs of changesets. Make a key, and serve with it:" }
                (command(SIGN))
            }
        }
        @if let Some(parent) = &sealed.parent {
            h2 { "Restored" }
            p { "This store goes on from the store " code { (parent.store) } ". Up to size " (amount(parent.size)) " both logs are the same. Their root there:" }
            (command(&parent.root))
        }
    }
}

fn nothing_sealed(app: &App, asked: &Asked, end: u64) -> Markup {
    html! {
        p.empty {
            "Nothing is sealed yet. "
            @if app.settings.is_sealing { "A changeset is sealed about a second after its commit." }
            @else { "This server does not seal. " code { "ees serve" } " does, unless it has " code { "--seal off" } "." }
        }
        @if end == 0 { (first_steps::commit_one(asked)) }
    }
}

fn proof(asked: &Asked, seen: &Seen) -> Markup {
    let checkpoint = seen.proof.as_ref().map(|(checkpoint, _)| *checkpoint);
    html! {
        h2 { "The proof for a changeset" }
        form.filters method="get" action="/console/evidence" {
            label { "Checkpoint" input type="number" name="checkpoint" min="0" required inputmode="numeric" value=[checkpoint]; }
            button type="submit" { "Prove" }
        }
        @match &seen.proof {
            None => { p.quiet { "The checkpoint of a changeset stands in the log and in its stream." } }
            Some((checkpoint, Err(why))) => {
                p.note role="status" {
                    "There is no proof" @if *checkpoint < seen.end { " yet" } ": " (why)
                    @if *checkpoint >= seen.end { ". The order ends at " (amount(seen.end)) }
                    "."
                }
            }
            Some((checkpoint, Ok(proof))) => {
                (command(proof))
                @let path = format!("/changesets?checkpoint={checkpoint}&limit=1&details=true");
                @let file = format!("> {}", quoted(&format!("{checkpoint}.json")));
                p { "Keep it with the changeset, which " code { "ees log verify-proof" } " needs too:" }
                (command(&Curl { path: &path, options: &file }.text(asked)))
            }
        }
    }
}
