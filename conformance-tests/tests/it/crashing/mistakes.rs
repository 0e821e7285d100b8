//! What a journal may do wrong.

use std::time::Duration;

/// A mistake.
pub(super) trait Mistake: Default + Send + Sync + 'static {
    /// A line is written when the next one is.
    const ANSWERS_EARLY: bool = false;
    /// A start drops the last line.
    const DROPS_THE_LAST: bool = false;
    /// A start commits the last line again.
    const DOUBLES_THE_LAST: bool = false;
    /// A start reads stream by stream.
    const REORDERS: bool = false;
    /// A start takes the time anew.
    const CHANGES_TIMES: bool = false;
    /// A start draws commit ids anew.
    const FORGETS_KEYS: bool = false;
    /// A start expects whole lines, which take a moment to write.
    const FAILS_ON_HALF_A_LINE: bool = false;
    /// Readers see what is being written, which takes a moment.
    const SHOWS_EARLY: bool = false;
    /// Statistics count one event too many each time.
    const MISCOUNTS: bool = false;
    /// The process ends at some commit.
    const ENDS: bool = false;
    /// No commit gets an answer.
    const NEVER_ANSWERS: bool = false;
    /// The file is there a moment before its first line.
    const MADE_IN_STEPS: bool = false;

    /// Nobody waits longer than needed for what never comes.
    fn time_limit(&self) -> Duration {
        let seconds = if Self::NEVER_ANSWERS { 4 } else { 60 };
        Duration::from_secs(seconds)
    }
}

macro_rules! mistakes {
    ($($(#[$doc:meta])* $name:ident: $($is:ident)?;)+) => {
        $($(#[$doc])*
        #[derive(Default)]
        pub(super) struct $name;
        impl Mistake for $name {
            $(const $is: bool = true;)?
        })+
    };
}

mistakes! {
    /// None.
    Sound: ;
    AnswersEarly: ANSWERS_EARLY;
    DropsTheLast: DROPS_THE_LAST;
    DoublesTheLast: DOUBLES_THE_LAST;
    Reorders: REORDERS;
    ChangesTimes: CHANGES_TIMES;
    ForgetsKeys: FORGETS_KEYS;
    FailsOnHalfALine: FAILS_ON_HALF_A_LINE;
    ShowsEarly: SHOWS_EARLY;
    Miscounts: MISCOUNTS;
    Ends: ENDS;
    NeverAnswers: NEVER_ANSWERS;
    MadeInSteps: MADE_IN_STEPS;
}
