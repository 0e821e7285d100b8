//! The conformance suite, with indexers that run beside it.

type Plain = crate::store::Store<false>;

conformance_tests::adapter_suite!(Plain);
