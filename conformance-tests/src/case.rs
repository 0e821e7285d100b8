//! The description of a case.

/// A case and the guarantees that it checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// `group::case`.
    pub name: &'static str,
    /// The numbers of the guarantees, the main one first.
    pub guarantees: &'static [u8],
}

impl Case {
    /// The group.
    pub fn group(&self) -> &'static str {
        self.name
            .split_once("::")
            .map_or(self.name, |(group, _)| group)
    }

    /// The main guarantee: `G6`.
    pub(crate) fn guarantee(&self) -> String {
        let number = self.guarantees.first().copied().unwrap_or_default();
        format!("G{number}")
    }
}

/// A case that can be run against a harness of its own.
#[derive(Debug, Clone, Copy)]
pub struct Runnable {
    /// The case.
    pub case: Case,
    /// Starts a harness and [runs](crate::run) the case, to its end or to a panic. It creates a
    /// runtime, so it must not be called inside another runtime.
    pub run: fn(),
}
