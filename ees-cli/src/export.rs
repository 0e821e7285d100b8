//! `ees export`.

use std::path::Path;

use ees_core::Checkpoint;
use ees_evidence::{Export, MovableStore};
use serde_json::json;

use crate::Failure;
use crate::args::ExportArgs;
use crate::moving::{Opened, Output, failed};
use crate::progress::Progress;

/// Writes a store into a file.
///
/// # Errors
/// [`Failure`] if the store cannot be read, or the file cannot be written.
pub async fn run(args: &ExportArgs) -> Result<(), Failure> {
    let opened = Opened::to_read(&args.storage.url).await?;
    let exported = export(args, &opened.movable).await;
    opened.close().await;
    exported
}

async fn export(args: &ExportArgs, source: &MovableStore) -> Result<(), Failure> {
    let from = Checkpoint::FIRST.plus(args.from);
    let mut export = Export::begin(source, from).await.map_err(failed)?;
    let output = Output::create(&args.out)?;
    let written = write(args, &mut export, &output).await;
    let finished = output.finish(written.is_ok()).await;
    // Why a file is not written tells `finish`.
    finished.and(written)?;
    let (end, root) = (export.end(), export.root().to_string());
    if args.json {
        let line = json!({ "from": from, "size": end, "root": root }).to_string();
        tell(&args.out, &line);
    } else {
        let file = args.out.display();
        let line = format!("{file}: checkpoints {from} to {end}, root {root}");
        tell(&args.out, &line);
    }
    Ok(())
}

async fn write(args: &ExportArgs, export: &mut Export, output: &Output) -> Result<(), Failure> {
    let mut progress = Progress::of("exported", args.json);
    while let Some(parts) = export.next().await.map_err(failed)? {
        output.write(parts).await?;
        progress.reached(export.at(), Some(export.end()));
    }
    progress.end();
    Ok(())
}

/// Tells the result where it is not in the way of the export.
fn tell(out: &Path, line: &str) {
    if out == Path::new("-") {
        eprintln!("{line}");
    } else {
        println!("{line}");
    }
}
