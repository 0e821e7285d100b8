//! The key that verifies the log of a store.

use ees_core::{Error, StoreId};
use ees_storage::open;

use super::key_file;
use crate::Failure;
use crate::args::LogVkey;
use crate::client::Client;
use crate::existing::check_exists;

/// The verifier key of a key for a store, which is opened or whose server is asked.
///
/// # Errors
/// [`Failure`] if there is no key in the file, or the store or its server cannot be reached.
pub(super) async fn verifier_key(args: &LogVkey) -> Result<String, Failure> {
    let key = key_file::read(&args.log_key)?;
    let store = match &args.storage {
        Some(storage) => id_in(storage).await?,
        None => id_at(args).await?,
    };
    Ok(key.verifier_key(store))
}

async fn id_in(storage: &str) -> Result<StoreId, Failure> {
    check_exists(storage)?;
    let opened = Box::pin(open(storage)).await;
    let opened = opened.map_err(Failure::of_storage)?;
    let identity = opened.store.identity().await;
    opened.store.close().await;
    let failed = |error: Error| Failure::Run(format!("the id of the store is not known: {error}"));
    Ok(identity.map_err(failed)?.id)
}

async fn id_at(args: &LogVkey) -> Result<StoreId, Failure> {
    let client = Client::new(&args.remote).map_err(Failure::Usage)?;
    let answer = client.get("/version").await.map_err(Failure::Run)?;
    let id = answer.store.as_deref().and_then(|id| id.parse().ok());
    id.ok_or_else(|| {
        let url = &args.remote.url;
        Failure::Run(format!("{url}: the answer does not tell the id of a store"))
    })
}
