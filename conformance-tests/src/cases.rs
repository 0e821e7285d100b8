//! The list of cases: the suite owns it, so that no adapter can forget one.
//!
//! Each case names the guarantees it holds. A case works beside other data: it uses streams of its
//! own ([`unique`](crate::subject::unique)) and reads the global order from where it found its end.

pub mod concurrency;

/// A case and the guarantees it holds.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// `module::function` in this module.
    pub name: &'static str,
    /// The numbers of the guarantees.
    pub guarantees: &'static [u8],
}

/// Makes, of one list, the constant that names the cases and the macro that makes a test of each.
macro_rules! list {
    ($d:tt $(#[$doc:meta])* $constant:ident, $suite:ident:
     $($module:ident { $($case:ident [$($guarantee:literal),+];)+ })+) => {
        $(#[$doc])*
        pub const $constant: &[Case] = &[$($(Case {
            name: concat!(stringify!($module), "::", stringify!($case)),
            guarantees: &[$($guarantee),+],
        }),+),+];

        $(#[$doc])*
        #[macro_export]
        macro_rules! $suite {
            ($d harness:ty) => {
                $(mod $module {
                    use super::*;
                    $(#[test]
                    fn $case() {
                        $d crate::run::<$d harness>($d crate::cases::$module::$case);
                    })+
                })+
            };
        }
    };
}

list! { $
    /// The cases for every store, in process or over HTTP: one test each for a
    /// [`Harness`](crate::Harness).
    CASES, suite:
    concurrency {
        one_of_racing_commits_succeeds [2, 3];
    }
}
