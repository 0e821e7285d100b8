//! Lets a store accept no more commits, or accept them again.

use std::sync::Arc;

use ees_core::adapter::Fence;
use ees_core::{StorageError, adapter};
use serde_json::json;

use super::told::Told;
use crate::Failure;
use crate::moving::Opened;

pub(super) async fn raise(storage: &str, address: &str) -> Result<Told, Failure> {
    let is_control = address.chars().any(char::is_control);
    if address.is_empty() || is_control || address.len() > adapter::MAX_MOVED_TO {
        return Err(Failure::Usage(format!(
            "the address is a text of at most {} bytes, without control characters",
            adapter::MAX_MOVED_TO
        )));
    }
    let opened = Opened::to_read(storage).await?;
    let fence = fence_of(&opened)?;
    let done = fence.fence(address).await;
    opened.close().await;
    done.map_err(|error| failed(&error))?;
    Ok(Told {
        text: format!("the store accepts no more commits, and tells clients of {address}"),
        json: json!({ "moved_to": address }),
    })
}

pub(super) async fn lift(storage: &str) -> Result<Told, Failure> {
    let opened = Opened::to_read(storage).await?;
    let fence = fence_of(&opened)?;
    let before = fence.fence_state().await;
    let done = fence.lift_fence().await;
    opened.close().await;
    done.map_err(|error| failed(&error))?;
    let before = before.map_err(|error| failed(&error))?;
    Ok(Told {
        text: match &before {
            Some(address) => {
                format!("the store accepts commits again; it told clients of {address}")
            }
            None => "the store had no fence".to_owned(),
        },
        json: json!({ "moved_to": null, "before": before }),
    })
}

fn fence_of(opened: &Opened) -> Result<Arc<dyn Fence>, Failure> {
    opened.fence.clone().ok_or_else(|| {
        Failure::Usage(
            "this storage has no fence of its own; DynamoDB: set the parameter `Commits` of the stack"
                .to_owned(),
        )
    })
}

fn failed(error: &StorageError) -> Failure {
    Failure::Run(error.to_string())
}
