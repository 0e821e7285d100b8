//! How a list of cases is written down.

/// A case and the guarantees it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// `group::case`.
    pub name: &'static str,
    /// The numbers of the guarantees.
    pub guarantees: &'static [u8],
}

/// A case that can be run against a harness of its own.
#[derive(Debug, Clone, Copy)]
pub struct Runnable {
    /// The case.
    pub case: Case,
    /// Starts a harness and [runs](crate::run) the case, to its end or to a panic. It has a
    /// runtime of its own, so it must not be called from within another.
    pub run: fn(),
}

/// Makes, of one list, the constant that names the cases, the function that gives them to those
/// who run them by themselves, and the macro that makes a test of each.
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
            let cases: &[fn()] = &[$($(|| $crate::run::<H>($module::$case)),+),+];
            let listed = $constant.iter().zip(cases);
            listed.map(|(&case, &run)| $crate::Runnable { case, run }).collect()
        }

        $(#[$doc])*
        #[macro_export]
        macro_rules! $suite {
            ($d harness:ty) => {
                $(mod $module {
                    #[allow(unused_imports)]
                    use super::*;
                    $(#[test]
                    fn $case() {
                        $d crate::run::<$d harness>($d crate::$parent::$module::$case);
                    })+
                })+
            };
        }
    };
}
