//! `ees copy`.

use std::time::Duration;

use ees_evidence::{Copy, Imported, MoveError, Until};
use ees_storage::Adapter;

use crate::Failure;
use crate::args::CopyArgs;
use crate::moving::{Opened, failed, print};
use crate::progress::Progress;

/// The pause before a copy goes on that a storage has interrupted.
const PAUSE: Duration = Duration::from_secs(2);

/// How often in a row it goes on without a changeset more.
const TRIES: u32 = 30;

/// Copies a store into another one.
///
/// # Errors
/// [`Failure`] if a store cannot be opened, or the target has something else.
pub async fn run(args: &CopyArgs) -> Result<(), Failure> {
    let source = Opened::to_read(&args.from).await?;
    let target = Opened::to_write(&args.to).await?;
    let copied = match until(args, &source) {
        Ok(until) => copy(args, &source, &target, until).await,
        Err(failure) => Err(failure),
    };
    target.close().await;
    source.close().await;
    print(&copied?, "copied", &args.to, args.json);
    if let Some(address) = &args.fence {
        eprintln!(
            "the source accepts no more commits, and tells clients of {address}; \
             `ees admin lift-fence` would let it accept them again"
        );
    }
    Ok(())
}

fn until(args: &CopyArgs, source: &Opened) -> Result<Until, Failure> {
    let fence = source.fence.clone();
    Ok(match (&args.fence, fence) {
        (Some(address), Some(fence)) => Until::Fencing(fence, address.clone()),
        (Some(_), None) => {
            let adapter = Adapter::of(&args.from).map_err(Failure::of_storage)?;
            return Err(Failure::Usage(format!(
                "`{}:` has no fence of its own. Stop its commits by the parameter `Commits=off` of its stack, \
                 and copy then",
                adapter.scheme()
            )));
        }
        (None, Some(fence)) if args.follow => Until::Fenced(fence),
        (None, None) if args.follow => Until::Stopped,
        (None, _) => Until::Now,
    })
}

async fn copy(
    args: &CopyArgs,
    source: &Opened,
    target: &Opened,
    until: Until,
) -> Result<Imported, Failure> {
    let mut copy = Copy::new(&source.movable, &target.movable, until);
    if args.without_checkpoints {
        copy = copy.without_progress();
    }
    let mut progress = Progress::of("copied", args.json);
    let (mut tries, mut reached) = (0, None);
    loop {
        let before = reached;
        let copied = copy.run(|at, end| {
            progress.reached(at, Some(end));
            reached = Some(at);
        });
        match Box::pin(copied).await {
            Err(error) if error.is_retryable() && tries < TRIES => {
                tries = if reached > before { 0 } else { tries + 1 };
                tell(&error);
                tokio::time::sleep(PAUSE).await;
            }
            copied => {
                progress.end();
                return copied.map_err(failed);
            }
        }
    }
}

fn tell(error: &MoveError) {
    eprintln!("the copy is interrupted and goes on: {error}");
}
