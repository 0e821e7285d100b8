//! The core from outside, over fakes.

mod group_commit;
