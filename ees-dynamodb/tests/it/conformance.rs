//! The conformance suite, with indexers that run beside it.

use crate::store::Store;

conformance_tests::adapter_suite!(Store);
