//! What is printed for people: as wide as the terminal, and coloured where it takes colours.

mod style;
mod table;

use std::borrow::Cow;
use std::io::{self, IsTerminal};

use anstream::{AutoStream, ColorChoice};
use terminal_size::{Height, Width, terminal_size_of};
use textwrap::{Options, WordSplitter};

use crate::model::printable;

pub(super) use style::Tone;
pub(super) use table::{Cell, Column, Table};

/// The size of a terminal that does not tell it, as some do until they are first resized.
const USUAL_SIZE: (usize, usize) = (80, 24);

/// The screen that standard output leads to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Screen {
    /// Number of columns; none where output goes to a file or a pipe, or all of it is wanted.
    pub(super) width: Option<usize>,
    /// Number of lines.
    pub(super) height: usize,
    has_colours: bool,
}

impl Screen {
    /// Returns the screen of this process; `wide` asks for everything, however long the lines.
    pub(super) fn of_process(wide: bool) -> Self {
        let output = io::stdout();
        let (width, height) = match terminal_size_of(&output) {
            Some((Width(columns), Height(lines))) => (columns.into(), lines.into()),
            None => USUAL_SIZE,
        };
        Self {
            width: (output.is_terminal() && !wide).then_some(width),
            height,
            // Heeds NO_COLOR, CLICOLOR, CLICOLOR_FORCE and TERM.
            has_colours: AutoStream::choice(&output) != ColorChoice::Never,
        }
    }

    /// Paints a text.
    pub(super) fn paint<'a>(&self, tone: Tone, text: &'a str) -> Cow<'a, str> {
        match tone.style() {
            Some(style) if self.has_colours && !text.is_empty() => {
                format!("{style}{text}{style:#}").into()
            }
            _ => text.into(),
        }
    }

    /// Breaks a paragraph into lines of the screen, each with its line end; what a terminal would
    /// obey is shown, line ends in the words of others included.
    pub(super) fn paragraph(&self, tone: Tone, text: &str) -> String {
        let text = printable(text);
        let mut lines = String::new();
        for line in self.wrap(&text, "") {
            lines.push_str(&self.paint(tone, &line));
            lines.push('\n');
        }
        lines
    }

    /// The same for several paragraphs.
    pub(super) fn paragraphs(&self, tone: Tone, texts: &[String]) -> String {
        let paragraphs = texts.iter().map(|text| self.paragraph(tone, text));
        paragraphs.collect()
    }

    /// Breaks a text into lines of the screen that begin with `indent`.
    fn wrap<'a>(&self, text: &'a str, indent: &'a str) -> Vec<Cow<'a, str>> {
        let width = self.width.unwrap_or(usize::MAX);
        // A flag is not broken after its hyphens.
        let options = Options::new(width).word_splitter(WordSplitter::NoHyphenation);
        let options = options.initial_indent(indent).subsequent_indent(indent);
        textwrap::wrap(text, options)
    }
}

#[cfg(test)]
impl Screen {
    fn plain(width: Option<usize>) -> Self {
        Self {
            width,
            height: USUAL_SIZE.1,
            has_colours: false,
        }
    }
}
