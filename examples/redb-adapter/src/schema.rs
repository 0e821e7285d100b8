//! The tables.

use redb::TableDefinition;

use crate::rows::Row;

/// All changesets, by checkpoint. Each is stored here only.
pub(crate) const LOG: TableDefinition<u64, Row> = TableDefinition::new("log");

/// Checkpoints by stream and changeset id.
pub(crate) const BY_CHANGESET: TableDefinition<(&str, u64), u64> =
    TableDefinition::new("by_changeset");

/// Checkpoints by stream and last event id.
pub(crate) const BY_EVENT: TableDefinition<(&str, u64), u64> = TableDefinition::new("by_event");

/// Changeset ids by stream and client's key.
pub(crate) const BY_KEY: TableDefinition<(&str, &str), u64> = TableDefinition::new("by_key");

/// The statistics: one row, with the version first.
pub(crate) const STATISTICS: TableDefinition<(), [u64; 5]> = TableDefinition::new("statistics");

/// The identity of the store: one text.
pub(crate) const IDENTITY: TableDefinition<(), &str> = TableDefinition::new("identity");

/// The checkpoints of subscriptions, by name.
pub(crate) const CHECKPOINTS: TableDefinition<&str, u64> = TableDefinition::new("checkpoints");

/// The version of these tables: one row.
pub(crate) const VERSION: TableDefinition<(), u64> = TableDefinition::new("ees_version");
pub(crate) const KNOWN: u64 = 2;
