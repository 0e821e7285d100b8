//! A store as the start-up line shows it.

use ees_core::EventStore;
use ees_storage::redacted;

/// What is served: the storage, with the absolute path of a file; whether the store is new or how many
/// changesets it has; its id.
pub(crate) async fn shown(storage: &str, store: &EventStore) -> String {
    let size = match store.next_checkpoint().await {
        Ok(head) if head.get() == 0 => "new".to_owned(),
        Ok(head) => format!("{head} changesets"),
        Err(_) => "not readable now".to_owned(),
    };
    let id = store.store_id();
    let id = id.map_or_else(String::new, |id| format!(", store {id}"));
    format!("{} ({size}{id})", absolute(storage))
}

/// The URL of a storage without its password, and with the absolute path of a file.
fn absolute(storage: &str) -> String {
    let path = storage.strip_prefix("sqlite:");
    let path = path.map(|path| path.strip_prefix("//").unwrap_or(path));
    let parts = path.map(|path| path.split_once('?').unwrap_or((path, "")));
    let Some((path, settings)) = parts else {
        return redacted(storage);
    };
    let Ok(path) = std::fs::canonicalize(path) else {
        return redacted(storage);
    };
    let mark = if settings.is_empty() { "" } else { "?" };
    format!("sqlite:{}{mark}{settings}", path.display())
}
