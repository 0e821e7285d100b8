//! The macro that declares a list of cases.

/// Generates from one list: the constant with the cases' names, the function that returns the cases
/// for other runners, and the macro that generates a test for each case. The tests of a group are
/// in a module of its name, inside the module that [`adapter_suite!`](crate::adapter_suite!) and
/// similar macros generate around all groups.
macro_rules! list {
    ($d:tt $(#[$doc:meta])* $parent:ident: $constant:ident, $suite:ident, $harness:ident:
     $($module:ident { $($case:ident [$($guarantee:literal),+];)+ })+) => {
        $(#[$doc])*
        pub const $constant: &[$crate::Case] = &[$($($crate::Case {
            name: concat!(stringify!($module), "::", stringify!($case)),
            guarantees: &[$($guarantee),+],
        }),+),+];

        /// The cases of the list, for runners other than the test harness.
        pub fn runnable<H: $crate::$harness>() -> Vec<$crate::Runnable> {
            let cases: &[fn()] = &[$($(|| $crate::run::<H>(
                $crate::Case {
                    name: concat!(stringify!($module), "::", stringify!($case)),
                    guarantees: &[$($guarantee),+],
                },
                $module::$case,
            )),+),+];
            let listed = $constant.iter().zip(cases);
            listed.map(|(&case, &run)| $crate::Runnable { case, run }).collect()
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
                        $d crate::run::<$d harness>(
                            $d crate::Case {
                                name: concat!(stringify!($module), "::", stringify!($case)),
                                guarantees: &[$($guarantee),+],
                            },
                            $d crate::$parent::$module::$case,
                        );
                    })+
                }
            };)+
        }
    };
}
