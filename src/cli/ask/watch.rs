//! `watch`: asks for offers whenever something has changed, and shows what is different.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;

use crate::cli::output::{Error, Reader, complain, write};
use crate::cli::screen::{Screen, Tone};
use crate::model::{duration, printable_lines};

use super::changes::Changes;
use super::offers::{Offers, Question};
use super::service::{Answer, Service};

/// Clears the screen.
const CLEAR: &str = "\x1b[2J\x1b[H";

/// Moves to the upper left corner.
const HOME: &str = "\x1b[H";

/// Clears the rest of a line, and of the screen.
const CLEAR_LINE: &str = "\x1b[K";
const CLEAR_BELOW: &str = "\x1b[J";

#[derive(Args, Debug)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    question: Question,
    /// Time between two looks, a second or more, where the service does not tell of changes
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = interval)]
    every: Duration,
    /// End with 0 as soon as an offer is available
    #[arg(long)]
    until_available: bool,
    /// Print an answer as it came whenever an availability has changed, each on a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    service: Service,
}

fn interval(text: &str) -> Result<Duration, String> {
    let every = duration::parse(text).map_err(|error| error.to_string())?;
    match every < Duration::from_secs(1) {
        true => Err("must be a second or more".to_owned()),
        false => Ok(every),
    }
}

/// What was seen last.
#[derive(Default)]
struct Watch {
    /// The availability of each offer, once there was an answer.
    seen: Option<BTreeMap<String, String>>,
    /// Whether the last look has failed.
    is_away: bool,
}

pub(in crate::cli) async fn run(arguments: Arguments) -> Result<(), Error> {
    let mut watch = Watch::default();
    // Before the first look, after which no change is missed.
    let mut changes = Changes::follow(&arguments.service, arguments.every).await;
    loop {
        match arguments.question.ask(&arguments.service).await {
            Ok(answer) => {
                let offers: Offers = answer.parse()?;
                if watch.seen.is_none() {
                    offers.expect_names()?;
                }
                let is_live = changes.are_told();
                if watch.look(&arguments, is_live, &answer, &offers)? == Reader::Gone {
                    return Ok(());
                }
                let mut found = offers.offers.iter();
                let found = found.any(|offer| offer.judgement.availability == "available");
                if arguments.until_available && found {
                    return Ok(());
                }
            }
            Err(Error::Failed(sentence)) => watch.failed(&arguments, &sentence),
            // Asking again would not make the question better.
            Err(error) => return Err(error),
        }
        changes.next().await;
    }
}

impl Watch {
    /// Says once that the service does not answer.
    fn failed(&mut self, arguments: &Arguments, sentence: &str) {
        let every = duration::format(arguments.every);
        if !std::mem::replace(&mut self.is_away, true) {
            complain(&format!("{sentence}; asking again every {every}"));
        }
    }

    fn look(
        &mut self,
        arguments: &Arguments,
        is_live: bool,
        answer: &Answer,
        offers: &Offers,
    ) -> Result<Reader, Error> {
        let pairs = offers.offers.iter();
        let pairs = pairs.map(|offer| (offer.name(), offer.judgement.availability()));
        let now: BTreeMap<String, String> = pairs.collect();
        if std::mem::take(&mut self.is_away) && !is_redrawn(arguments) {
            complain("the service answers again");
        }
        let before = self.seen.replace(now.clone());
        if arguments.json {
            return match before.as_ref() == Some(&now) {
                true => Ok(Reader::There),
                false => write(answer.text.trim_end()),
            };
        }
        let screen = Screen::of_process(false);
        let table = || offers.render(&screen);
        if is_redrawn(arguments) {
            let start = if before.is_none() { CLEAR } else { HOME };
            let every = match is_live {
                true => "live".to_owned(),
                false => format!("every {}", duration::format(arguments.every)),
            };
            let heading = format!("{}, {every}; Ctrl-C ends", answer.sent_at);
            let lines = fitting(&screen, &heading, &table());
            return write(&format!("{start}{lines}"));
        }
        match before {
            None => write(&table()),
            Some(before) => match changes(&before, &now, answer.sent_at) {
                text if text.is_empty() => Ok(Reader::There),
                text => write(&text),
            },
        }
    }
}

/// Whether the table is drawn over itself instead of telling changes line by line.
fn is_redrawn(arguments: &Arguments) -> bool {
    !arguments.json && io::stdout().is_terminal()
}

/// Returns what the screen holds of a table, as lines that are drawn over others.
fn fitting(screen: &Screen, heading: &str, table: &str) -> String {
    let heading = screen.paragraph(Tone::Aside, heading);
    let lines: Vec<&str> = heading.lines().chain(table.lines()).collect();
    // The last line of the screen is left to the cursor.
    let height = screen.height.saturating_sub(1).max(2);
    let shown = match lines.len() > height {
        true => height - 1,
        false => lines.len(),
    };
    let mut text = String::new();
    for line in &lines[..shown] {
        text.push_str(&format!("{line}{CLEAR_LINE}\n"));
    }
    if shown < lines.len() {
        let more = lines.len() - shown;
        text.push_str(&format!("… {more} more lines{CLEAR_LINE}\n"));
    }
    text + CLEAR_BELOW
}

/// Tells which offers have come, gone or changed, each on a line.
fn changes(
    before: &BTreeMap<String, String>,
    now: &BTreeMap<String, String>,
    at: Timestamp,
) -> String {
    let gone = before.keys().filter(|offer| !now.contains_key(*offer));
    let gone = gone.map(|offer| (offer, "gone"));
    let others = now.iter().map(|(offer, word)| (offer, &**word));
    let mut text = String::new();
    for (offer, word) in others.chain(gone) {
        let was = before.get(offer).map_or("new", |word| &**word);
        if was != word {
            text.push_str(&format!("{at} {offer}: {was} -> {word}\n"));
        }
    }
    printable_lines(&text).into_owned()
}
