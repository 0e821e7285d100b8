//! What happens to readers that are many, slow, gone or broken.

use std::sync::mpsc;
use std::time::Duration;

use ees_core::StorageError;
use futures_executor::block_on;
use futures_util::FutureExt;
use tempfile::TempDir;

use super::*;
use crate::lock::WriterLock;
use crate::opening::open_writer;

struct Fixture {
    _folder: TempDir,
    jobs: Jobs,
    readers: Readers,
}

impl Fixture {
    fn of(count: u32) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("ees.db");
        open_writer(&path, &WriterLock::acquire(&path).unwrap()).unwrap();
        let (jobs, readers) = Readers::start(&path, count, &Halt::default()).unwrap();
        Self {
            _folder: folder,
            jobs,
            readers,
        }
    }
}

#[test]
fn a_job_that_panics_fails_alone() {
    let fixture = Fixture::of(1);
    let panics = fixture.jobs.run(|_| -> Result<(), _> { panic!("a test") });
    let error = block_on(panics).unwrap_err();
    assert!(error.to_string().contains("was lost"), "{error}");
    assert_eq!(block_on(fixture.jobs.run(|_| Ok(7))).unwrap(), 7);
}

#[test]
fn a_job_whose_caller_has_gone_is_not_done() {
    let fixture = Fixture::of(1);
    let (release, held) = mpsc::channel::<()>();
    let mut first = Box::pin(fixture.jobs.run(move |_| Ok(held.recv().is_ok())));
    assert!(first.as_mut().now_or_never().is_none());
    let (done, was_done) = mpsc::channel::<()>();
    let gone = fixture.jobs.run(move |_| Ok(done.send(()).is_ok()));
    // One place may still be taken by the first job. It waits for a place, or for its turn.
    assert!(gone.now_or_never().is_none());
    release.send(()).unwrap();
    assert!(block_on(first).unwrap());
    assert!(block_on(fixture.jobs.run(|_| Ok(true))).unwrap());
    assert!(was_done.recv().is_err(), "its work was dropped");
}

#[test]
fn a_job_waits_for_a_place_for_a_limited_time() {
    let fixture = Fixture::of(1);
    let jobs = fixture.jobs.with_timeout(Duration::from_millis(1));
    let (begun, has_begun) = mpsc::channel::<()>();
    let (release, held) = mpsc::channel::<()>();
    let mut first = Box::pin(jobs.run(move |_| {
        begun.send(()).unwrap();
        Ok(held.recv().is_ok())
    }));
    assert!(first.as_mut().now_or_never().is_none());
    has_begun.recv().unwrap();
    let mut second = Box::pin(jobs.run(|_| Ok(true)));
    assert!(second.as_mut().now_or_never().is_none(), "it has a place");
    let error = block_on(jobs.run(|_| Ok(()))).unwrap_err();
    assert!(error.to_string().contains("too many calls"), "{error}");
    release.send(()).unwrap();
    assert!(block_on(first).unwrap() && block_on(second).unwrap());
}

#[test]
fn the_end_waits_for_accepted_jobs() {
    let fixture = Fixture::of(2);
    let (release, held) = mpsc::channel::<()>();
    let mut job = Box::pin(fixture.jobs.run(move |_| Ok(held.recv().is_ok())));
    assert!(job.as_mut().now_or_never().is_none());
    fixture.jobs.close();
    release.send(()).unwrap();
    drop(fixture.readers);
    assert!(job.now_or_never().unwrap().unwrap());
    let closed = block_on(fixture.jobs.run(|_| Ok(())));
    assert!(matches!(closed, Err(StorageError::Unavailable { .. })));
}

#[test]
fn a_file_that_cannot_be_opened_fails_the_read() {
    let folder = TempDir::new().unwrap();
    let (jobs, _readers) =
        Readers::start(&folder.path().join("none.db"), 1, &Halt::default()).unwrap();
    let error = block_on(jobs.run(|_| Ok(()))).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("cannot be read or written"), "{text}");
}
