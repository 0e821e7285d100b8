//! The administration tasks on DynamoDB tables.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use ees_dynamodb::admin::{AdminError, IndexStatus, Options, Rebuilt, RebuiltKeys};
use ees_dynamodb::schema::TableOptions;
use ees_dynamodb::{Admin, DynamoConfig, DynamoStorage, IndexPageSize, SdkConfig};
use ees_workers::Sweep;
use serde_json::json;

use super::told::Told;
use super::{fence, new_store_id};
use crate::Failure;
use crate::args::AdminAct;

pub(super) async fn run(storage: &str, act: AdminAct) -> Result<Told, Failure> {
    let config = storage.parse();
    let config: DynamoConfig = config.map_err(|error| Failure::wrong_storage(storage, error))?;
    let sdk = config.endpoint.sdk_from_environment().await;
    let told = task(&config, &sdk, storage, act).await;
    progress("");
    told
}

async fn task(
    config: &DynamoConfig,
    sdk: &SdkConfig,
    storage: &str,
    act: AdminAct,
) -> Result<Told, Failure> {
    let admin = Admin::new(config, sdk).await.map_err(not_opened)?;
    let admin = admin.watched_by(|seen| progress(&format!("{seen} changesets scanned")));
    match act {
        AdminAct::CreateTables {
            local_indexes,
            index_page,
        } => {
            let options = TableOptions {
                local_indexes,
                index_page: IndexPageSize::new(index_page).unwrap_or(IndexPageSize::DEFAULT),
            };
            let made = admin
                .create_tables_with(options)
                .await
                .map_err(not_opened)?;
            Ok(created(config, &made))
        }
        AdminAct::NewStoreId => new_store_id::make(storage).await,
        // These are for every storage.
        AdminAct::Fence { address } => fence::raise(storage, &address).await,
        AdminAct::LiftFence => fence::lift(storage).await,
        AdminAct::Sweep => sweep(config, sdk).await,
        AdminAct::IndexStatus => {
            let status = admin.status().await.map_err(not_opened)?;
            Ok(index_status(&status))
        }
        AdminAct::RebuildIndex {
            dry_run,
            replace,
            accept_disorder,
            index_page,
        } => {
            let options = Options {
                dry_run,
                replace,
                accept_disorder,
                index_page: index_page.and_then(IndexPageSize::new),
            };
            let rebuilt = admin.rebuild_index(options).await.map_err(not_done)?;
            Ok(told(&rebuilt, dry_run))
        }
        AdminAct::RebuildKeys => {
            let rebuilt = admin.rebuild_keys().await.map_err(not_done)?;
            Ok(keys(&rebuilt))
        }
        AdminAct::TakeOver {
            dry_run,
            accept_disorder,
            wait_seconds,
        } => {
            let options = Options {
                dry_run,
                accept_disorder,
                ..Options::default()
            };
            let taken = admin.take_over(options, outlast(wait_seconds)).await;
            Ok(told(&taken.map_err(not_done)?, dry_run))
        }
    }
}

fn not_opened(error: impl std::error::Error) -> Failure {
    Failure::Storage(error.to_string())
}

fn failed(error: impl std::error::Error) -> Failure {
    Failure::Run(error.to_string())
}

fn not_done(error: AdminError) -> Failure {
    match error {
        AdminError::Open(error) => not_opened(error),
        error => failed(error),
    }
}

fn created(config: &DynamoConfig, made: &[String]) -> Told {
    let tables = format!("{} and {}", config.events_table, config.analysis_table);
    Told {
        text: if made.is_empty() {
            format!("tables {tables} exist and have the required schema")
        } else {
            format!("created {}; tables {tables} are ready", made.join(" and "))
        },
        json: json!({ "created": made }),
    }
}

fn index_status(status: &IndexStatus) -> Told {
    let importing = if status.importing {
        "; an import is under way, and the store takes no commits until it is finished or abandoned"
    } else {
        ""
    };
    Told {
        text: format!(
            "next checkpoint {}; {} positions reserved and not written yet; {} void; \
             revision {}{importing}",
            status.next, status.pending, status.voids, status.rev
        ),
        json: json!({
            "next_checkpoint": status.next.get(),
            "pending": status.pending,
            "void_positions": status.voids,
            "revision": status.rev,
            "importing": status.importing,
        }),
    }
}

async fn sweep(config: &DynamoConfig, sdk: &SdkConfig) -> Result<Told, Failure> {
    let storage = DynamoStorage::open(config, sdk).await.map_err(not_opened)?;
    let mut sweep = Sweep::new(Arc::new(storage));
    let (mut pages, mut found, mut written) = (0_u64, 0, 0);
    let mut refused = Vec::new();
    while let Some(page) = sweep.next_page().await.map_err(failed)? {
        pages += 1;
        found += page.found;
        written += page.done.written;
        refused.extend(page.done.refused.iter().map(ToString::to_string));
        progress(&format!("{pages} pages, {found} without a position"));
    }
    progress("");
    for refused in &refused {
        eprintln!("{refused}");
    }
    Ok(Told {
        text: format!("{found} changesets had no position; {written} got one"),
        json: json!({ "found": found, "written": written, "refused": refused }),
    })
}

fn keys(rebuilt: &RebuiltKeys) -> Told {
    let RebuiltKeys {
        changesets,
        with_key,
        written,
        repeated,
        unreadable,
        ..
    } = rebuilt;
    Told {
        text: format!(
            "{changesets} changesets, {with_key} of them with a client's key; {written} markers \
             written; {repeated} changesets have the key of an earlier one of their stream; \
             {unreadable} items are no changesets"
        ),
        json: json!({
            "changesets": changesets,
            "with_key": with_key,
            "written": written,
            "repeated": repeated,
            "unreadable": unreadable,
        }),
    }
}

/// Waits until the functions that may still run have ended.
async fn outlast(seconds: u64) {
    for left in (1..=seconds).rev() {
        progress(&format!(
            "the original's functions may run for {left} s more"
        ));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Prints a progress line, which the next one overwrites.
fn progress(line: &str) {
    let mut stderr = std::io::stderr().lock();
    if stderr.is_terminal() {
        // A failure to print the progress does not stop the task.
        let _ = write!(stderr, "\r\x1b[K{line}");
        let _ = stderr.flush();
    }
}

/// The result of a scan and of the rebuild.
fn told(rebuilt: &Rebuilt, dry_run: bool) -> Told {
    let survey = &rebuilt.survey;
    let void: u64 = rebuilt.voids.iter().map(|(from, to)| to - from + 1).sum();
    let next = rebuilt.state.next();
    let disorder = survey.out_of_order.first.iter();
    let disorder: Vec<String> = disorder.map(ToString::to_string).collect();
    let mut lines = vec![
        format!(
            "{} changesets, {} of them without a position, {} without events",
            survey.changesets, survey.unindexed, survey.empty
        ),
        format!(
            "the next checkpoint {} {next}; {void} positions before it are void",
            if dry_run { "would be" } else { "is" }
        ),
    ];
    let unreadable = survey.unreadable.first.iter();
    lines.extend(unreadable.map(|item| format!("no changeset: {item}")));
    lines.extend(
        disorder
            .iter()
            .map(|key| format!("has a position, an earlier one of its stream has none: {key}")),
    );
    Told {
        text: lines.join("\n"),
        json: json!({
            "dry_run": dry_run,
            "changesets": survey.changesets,
            "without_position": survey.unindexed,
            "without_events": survey.empty,
            "unreadable": { "count": survey.unreadable.count, "first": survey.unreadable.first },
            "out_of_order": { "count": survey.out_of_order.count, "first": disorder },
            "next_checkpoint": next.get(),
            "void": rebuilt.voids,
        }),
    }
}
