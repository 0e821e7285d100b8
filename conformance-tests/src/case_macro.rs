//! The macro that declares a list of cases.

/// Generates from one list: the constant with the cases' names, the functions that run the cases,
/// and the macro that generates a test for each case. The tests of a group are in a module of its
/// name, inside the module that [`adapter_suite!`](crate::adapter_suite!) and similar macros
/// generate around all groups.
///
/// The cases take their harness as a trait object, so that they are compiled once, in this crate,
/// and not for each harness.
macro_rules! list {
    ($d:tt $(#[$doc:meta])* $parent:ident: $constant:ident, $suite:ident, $harness:ident:
     $($module:ident { $($case:ident [$($guarantee:literal),+];)+ })+) => {
        $(#[$doc])*
        pub const $constant: &[$crate::Case] = &[$($($crate::Case {
            name: concat!(stringify!($module), "::", stringify!($case)),
            guarantees: &[$($guarantee),+],
        }),+),+];

        /// The bodies of the cases, in the order of the list.
        const BODIES: &[$crate::run::Body<dyn $crate::$harness>] = &[$($(
            |harness| ::std::boxed::Box::pin($module::$case(harness))
        ),+),+];

        /// The cases of the list, for runners other than the test harness.
        pub fn runnable<H: $crate::$harness>() -> Vec<$crate::Runnable> {
            let runs: &[fn()] = &[$($(
                || run::<H>(concat!(stringify!($module), "::", stringify!($case)))
            ),+),+];
            let listed = $constant.iter().zip(runs);
            listed.map(|(&case, &run)| $crate::Runnable { case, run }).collect()
        }

        /// Runs the case of this name with a new store.
        ///
        /// # Panics
        /// If the case fails, or if the list has no case of this name.
        pub fn run<H: $crate::$harness>(name: &str) {
            let mut listed = $constant.iter().zip(BODIES);
            let listed = listed.find(|(case, _)| case.name == name);
            let (&case, &body) = listed.expect("a case of the list");
            $crate::run::boxed::<H>(case, ::std::boxed::Box::new(move |harness| body(harness)));
        }

        #[doc(hidden)]
        #[macro_export]
        macro_rules! $suite {
            ($d harness:ty) => {
                $($d crate::$suite!($d harness, $module);)+
            };
            $(($d harness:ty, $module) => {
                mod $module {
                    #[allow(unused_imports)]
                    use super::*;
                    $(#[::core::prelude::v1::test]
                    fn $case() {
                        $d crate::$parent::run::<$d harness>(
                            concat!(stringify!($module), "::", stringify!($case)),
                        );
                    })+
                }
            };)+
        }
    };
}
