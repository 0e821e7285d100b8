//! `ees verify`.

mod remote;
mod server;

use std::path::Path;
use std::sync::Arc;

use ees_core::Checkpoint;
use ees_evidence::{Finding, SavedHead, Verification, Verified};
use ees_storage::{Adapter, redacted};
use serde_json::json;

use crate::Failure;
use crate::args::{RemoteArgs, VerifyArgs};
use crate::moving::Opened;
use crate::progress::Progress;

pub use remote::Remote;

/// The longest file of a head.
const MAX_HEAD_BYTES: u64 = 1024 * 1024;

/// Verifies a store.
///
/// # Errors
/// [`Failure::Verified`]: what is not as it should be, or why it could not be verified.
pub async fn run(args: &VerifyArgs) -> Result<(), Failure> {
    let verified = verify(args).await.map_err(Failure::not_verified)?;
    if args.json {
        println!("{}", as_json(&verified));
    } else {
        println!("{}", summary(args, &verified));
    }
    if verified.findings.is_empty() {
        return save(args, &verified).map_err(Failure::not_verified);
    }
    Err(Failure::found(
        verified.is_altered(),
        told(&verified).trim_end(),
    ))
}

async fn verify(args: &VerifyArgs) -> Result<Verified, Failure> {
    let since = args.since.as_deref().map(|file| read(file, args));
    let since = since.transpose()?;
    if let Some(key) = &args.log_public_key {
        ees_evidence::check_verifier_key(key)
            .map_err(|error| Failure::Usage(format!("`--log-public-key`: {error}")))?;
    }
    let Some(url) = &args.url else {
        let opened = Opened::to_read(&args.storage.url).await?;
        let verification = Verification::new(opened.movable.store());
        let verified = run_through(args, since, verification).await;
        opened.close().await;
        let mut verified = verified?;
        let file = examine(args).await?;
        verified.findings_count += file.len() as u64;
        verified.findings.extend(file);
        return Ok(verified);
    };
    let remote = RemoteArgs {
        url: url.clone(),
        access: args.access.clone(),
    };
    let verification = Verification::of(Arc::new(Remote::of(&remote)?));
    run_through(args, since, verification).await
}

async fn run_through(
    args: &VerifyArgs,
    since: Option<SavedHead>,
    mut verification: Verification,
) -> Result<Verified, Failure> {
    if let Some(key) = &args.log_public_key {
        verification = verification.with_key(key);
    }
    if let Some(since) = since {
        verification = verification.since(since);
    }
    let mut progress = Progress::of("verified", args.json);
    let verified = verification.run(|at, end| progress.reached(at, Some(end)));
    let verified = verified.await;
    progress.end();
    verified.map_err(|error| Failure::Run(error.to_string()))
}

/// What the file of a store shows that reads of the store need not show: pages and indexes.
#[cfg(feature = "sqlite")]
async fn examine(args: &VerifyArgs) -> Result<Vec<Finding>, Failure> {
    if Adapter::of(&args.storage.url).map_err(Failure::of_storage)? != Adapter::Sqlite {
        return Ok(Vec::new());
    }
    let config: Result<ees_sqlite::SqliteConfig, _> = args.storage.url.parse();
    let config = config.map_err(|error| Failure::wrong_storage(&args.storage.url, error))?;
    let examined = ees_sqlite::examine(&config).await;
    let examined = examined.map_err(|error| Failure::Storage(error.to_string()))?;
    if examined.checksums_from > Checkpoint::FIRST && !args.json {
        let from = examined.checksums_from;
        println!(
            "from checkpoint {from} on, checksums date from the commits; before, from an upgrade"
        );
    }
    let finding = |what| Finding {
        is_missing: false,
        checkpoint: None,
        what: format!("the file: {what}"),
    };
    Ok(examined.findings.into_iter().map(finding).collect())
}

#[cfg(not(feature = "sqlite"))]
async fn examine(_: &VerifyArgs) -> Result<Vec<Finding>, Failure> {
    Ok(Vec::new())
}

fn read(file: &Path, args: &VerifyArgs) -> Result<SavedHead, Failure> {
    let failed = |problem: &dyn std::fmt::Display| {
        Failure::Run(format!("`{}` cannot be read: {problem}", file.display()))
    };
    let size = std::fs::metadata(file)
        .map_err(|error| failed(&error))?
        .len();
    if size > MAX_HEAD_BYTES {
        return Err(failed(&"it is too large for a head of a log"));
    }
    let text = std::fs::read_to_string(file).map_err(|error| failed(&error))?;
    SavedHead::read(&text, args.log_public_key.as_deref()).map_err(|error| failed(&error))
}

fn save(args: &VerifyArgs, verified: &Verified) -> Result<(), Failure> {
    let Some(file) = &args.save else {
        return Ok(());
    };
    let head = match &verified.signed {
        Some(signed) => signed.clone(),
        None => SavedHead::new(verified.store, verified.size, verified.root).to_string(),
    };
    let failed = |error| {
        Failure::Run(format!(
            "`{}` could not be written: {error}",
            file.display()
        ))
    };
    let mut partial = file.as_os_str().to_owned();
    partial.push(".partial");
    std::fs::write(&partial, head).map_err(failed)?;
    std::fs::rename(&partial, file).map_err(failed)
}

fn summary(args: &VerifyArgs, verified: &Verified) -> String {
    let verdict = if verified.findings.is_empty() {
        "as it should be"
    } else {
        "not as it should be"
    };
    format!(
        "{}: {verdict}: {} changesets and {} void positions, root {}, sealed up to {}",
        args.url
            .clone()
            .unwrap_or_else(|| redacted(&args.storage.url)),
        verified.changesets,
        verified.voids,
        verified.root,
        verified.sealed
    )
}

fn told(verified: &Verified) -> String {
    let mut told = String::new();
    for finding in &verified.findings {
        told.extend([&*finding.to_string(), "\n"]);
    }
    let more = verified.findings_count - verified.findings.len() as u64;
    if more > 0 {
        told.extend(["and ", &more.to_string(), " more\n"]);
    }
    told
}

fn as_json(verified: &Verified) -> serde_json::Value {
    let findings = verified.findings.iter().map(|finding| {
        json!({
            "kind": if finding.is_missing { "missing" } else { "altered" },
            "checkpoint": finding.checkpoint,
            "what": finding.what,
        })
    });
    json!({
        "store": verified.store,
        "size": verified.size,
        "root": verified.root.to_string(),
        "changesets": verified.changesets,
        "void_positions": verified.voids,
        "sealed": verified.sealed,
        "streams_looked_up": verified.looked_up,
        "findings": findings.collect::<Vec<_>>(),
        "findings_count": verified.findings_count,
    })
}
