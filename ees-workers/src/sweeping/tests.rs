//! When a sweep is due.

use ees_memory::MemoryStorage;

use super::*;

const HOUR: Duration = Duration::from_hours(1);

/// G8: servers that start anew put no sweep off.
#[tokio::test]
async fn a_sweep_is_due_so_long_after_the_last_one() {
    let kept = MemoryStorage::new();
    let first = time_left(&kept, HOUR).await.unwrap();
    assert_eq!(first, HOUR, "the first period begins");
    let begun = kept.load_checkpoint(SWEPT).await.unwrap();
    let again = time_left(&kept, 2 * HOUR).await.unwrap();
    assert!(again <= 2 * HOUR, "{again:?}");
    assert_eq!(kept.load_checkpoint(SWEPT).await.unwrap(), begun, "once");

    save_sweep(&kept, now().saturating_sub(2 * HOUR))
        .await
        .unwrap();
    assert_eq!(time_left(&kept, HOUR).await.unwrap(), Duration::ZERO);
    let left = time_left(&kept, 3 * HOUR).await.unwrap();
    assert!(left <= HOUR && left > Duration::ZERO, "{left:?}");
    // Somebody's clock was wrong.
    save_sweep(&kept, now() + 9 * HOUR).await.unwrap();
    assert_eq!(time_left(&kept, HOUR).await.unwrap(), HOUR);
}
