//! The conformance suite, with indexers that run beside it.

type Plain = crate::store::Store<false>;

ees_conformance::adapter_suite!(Plain, mod suite);

ees_conformance::consumer_suite!(Plain, mod consumers);
