//! The stream of a mapping, and where its records go.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::destinations::Destinations;
use crate::function::Function;
use crate::mapping::filter::Filter;
use crate::services::Services;
use crate::template::{Mapping, table_of_stream};
use crate::{Error, Pace};

/// What a mapping connects.
pub(crate) struct Parts {
    pub(crate) mapping: Mapping,
    pub(crate) function: Arc<Function>,
    pub(crate) services: Arc<Services>,
    pub(crate) destinations: Arc<Destinations>,
    pub(crate) pace: Pace,
}

/// The stream of a mapping, and where its records go.
pub(super) struct Source {
    pub(super) parts: Parts,
    pub(super) filter: Filter,
    /// The ARN of the stream.
    pub(super) stream: String,
}

/// A shard of a stream.
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) parent: Option<String>,
}

impl Source {
    /// Looks up the stream.
    pub(super) async fn new(parts: Parts) -> Result<Self, Error> {
        let table = table_of_stream(&parts.mapping.stream).unwrap_or_default();
        let asked = json!({ "TableName": table });
        let described = parts.services.dynamodb("DescribeTable", &asked).await?;
        Ok(Self {
            filter: Filter::new(&parts.mapping.id, &parts.mapping.filters)?,
            stream: text(&described["Table"]["LatestStreamArn"]),
            parts,
        })
    }

    /// Lists all shards.
    pub(super) async fn shards(&self) -> Result<Vec<Listed>, Error> {
        let (mut listed, mut asked) = (Vec::new(), json!({ "StreamArn": self.stream }));
        loop {
            let services = &self.parts.services;
            let described = services.streams("DescribeStream", &asked).await?;
            let described = &described["StreamDescription"];
            let shards = described["Shards"].as_array().into_iter().flatten();
            listed.extend(shards.map(|shard| Listed {
                id: text(&shard["ShardId"]),
                parent: shard["ParentShardId"].as_str().map(str::to_owned),
            }));
            let last = &described["LastEvaluatedShardId"];
            if last.is_null() {
                return Ok(listed);
            }
            asked["ExclusiveStartShardId"] = last.clone();
        }
    }
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
