//! Colours by meaning.

use anstyle::{AnsiColor, Effects, Style};

/// The meaning that a colour has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) enum Tone {
    /// Nothing to see.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// Not known, or not for now.
    Doubtful,
    /// In the way.
    Bad,
    /// Less important than the rest.
    Aside,
    /// More important than the rest.
    Heading,
}

impl Tone {
    /// The tone of an offer's availability.
    pub(in crate::cli) fn of_availability(word: &str) -> Self {
        match word {
            "available" => Self::Good,
            "no_quota" => Self::Bad,
            // What a newer service says is not known here.
            _ => Self::Doubtful,
        }
    }

    /// The tone of a region's freshness.
    pub(in crate::cli) fn of_freshness(word: Option<&str>) -> Self {
        match word {
            Some("fresh") => Self::Good,
            Some("stale") => Self::Doubtful,
            _ => Self::Bad,
        }
    }

    /// The tone of a backend's status.
    pub(in crate::cli) fn of_status(word: &str) -> Self {
        match word {
            "ok" | "ready" => Self::Good,
            "unavailable" => Self::Bad,
            _ => Self::Doubtful,
        }
    }

    pub(super) fn style(self) -> Option<Style> {
        let coloured = |colour: AnsiColor| Some(colour.on_default());
        match self {
            Self::Plain => None,
            Self::Good => coloured(AnsiColor::Green),
            Self::Doubtful => coloured(AnsiColor::Yellow),
            Self::Bad => coloured(AnsiColor::Red),
            Self::Aside => Some(Style::new().effects(Effects::DIMMED)),
            Self::Heading => Some(Style::new().effects(Effects::BOLD)),
        }
    }
}
