//! `ees import`.

use std::path::Path;

use ees_evidence::{Imported, Importer, MovableStore};

use crate::Failure;
use crate::args::ImportArgs;
use crate::moving::{Input, Opened, failed, print};
use crate::progress::Progress;

/// Writes an export into a store.
///
/// # Errors
/// [`Failure`] if the file is no export, or the store has something else.
pub async fn run(args: &ImportArgs) -> Result<(), Failure> {
    let opened = Opened::to_write(&args.storage.url).await?;
    let Some(file) = &args.file else {
        let ended = Importer::abandon(&opened.movable).await.map_err(failed);
        opened.close().await;
        return ended;
    };
    let imported = import(args, file, &opened.movable).await;
    opened.close().await;
    print(&imported?, "imported", &args.storage.url, args.json);
    Ok(())
}

async fn import(
    args: &ImportArgs,
    file: &Path,
    target: &MovableStore,
) -> Result<Imported, Failure> {
    let mut import = Importer::new(target);
    if args.without_checkpoints {
        import = import.without_progress();
    }
    let mut input = Input::open(file, import.max_line_bytes())?;
    let mut progress = Progress::of("imported", args.json);
    while let Some(lines) = input.next().await? {
        for line in &lines {
            import.push_line(line).await.map_err(failed)?;
        }
        progress.reached(import.at(), None);
    }
    progress.end();
    import.finish().map_err(failed)
}
