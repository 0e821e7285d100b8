//! What a case is.

/// A case and the guarantees it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// `group::case`.
    pub name: &'static str,
    /// The numbers of the guarantees; the first is what the case is about.
    pub guarantees: &'static [u8],
}

impl Case {
    /// The group.
    pub fn group(&self) -> &'static str {
        self.name
            .split_once("::")
            .map_or(self.name, |(group, _)| group)
    }

    /// `G6`: what the case is about.
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
    /// Starts a harness and [runs](crate::run) the case, to its end or to a panic. It has a
    /// runtime of its own, so it must not be called from within another.
    pub run: fn(),
}
