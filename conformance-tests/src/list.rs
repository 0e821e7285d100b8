//! How a list of cases is written down.

/// A case and the guarantees it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// `group::case`.
    pub name: &'static str,
    /// The numbers of the guarantees.
    pub guarantees: &'static [u8],
}

/// Makes, of one list, the constant that names the cases and the macro that makes a test of each.
macro_rules! list {
    ($d:tt $(#[$doc:meta])* $parent:ident: $constant:ident, $suite:ident:
     $($module:ident { $($case:ident [$($guarantee:literal),+];)+ })+) => {
        $(#[$doc])*
        pub const $constant: &[$crate::Case] = &[$($($crate::Case {
            name: concat!(stringify!($module), "::", stringify!($case)),
            guarantees: &[$($guarantee),+],
        }),+),+];

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
