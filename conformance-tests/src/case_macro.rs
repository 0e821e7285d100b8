//! How a list of cases is written down.

/// Makes, of one list, the constant that names the cases, the function that gives them to those
/// who run them by themselves, and the macro that makes a test of each. The tests of a group stand
/// in a module of its name, inside the module that [`adapter_suite!`](crate::adapter_suite!) and
/// its like make around all groups.
macro_rules! list {
    ($d:tt $(#[$doc:meta])* $parent:ident: $constant:ident, $suite:ident, $harness:ident:
     $($module:ident { $($case:ident [$($guarantee:literal),+];)+ })+) => {
        $(#[$doc])*
        pub const $constant: &[$crate::Case] = &[$($($crate::Case {
            name: concat!(stringify!($module), "::", stringify!($case)),
            guarantees: &[$($guarantee),+],
        }),+),+];

        /// The cases of the list, to be run without a test harness.
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
