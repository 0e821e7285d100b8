//! A plain model of an event store.
