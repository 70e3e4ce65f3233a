//! `leases`: the room that is held for launches under way.

use clap::Args;
use jiff::Timestamp;
use serde::Deserialize;

use crate::cli::output::Error;
use crate::cli::screen::{Cell, Column, Table, Tone};

use super::answers::amount;
use super::{Form, Service};

const COLUMNS: [Column; 6] = [
    Column::names("PLACE", 0, 10),
    Column::names("TYPE", 1, 8),
    Column::numbers("COUNT", 2),
    Column::words("STATE", 1),
    Column::words("ENDS", 3),
    Column::words("ID", 4),
];

#[derive(Args, Debug)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    service: Service,
}

#[derive(Deserialize)]
struct Answered {
    leases: Vec<Lease>,
}

/// Room that is held.
#[derive(Debug, Deserialize)]
pub(super) struct Lease {
    pub(super) id: String,
    backend: String,
    region: String,
    instance_type: String,
    spot: bool,
    count: u32,
    state: String,
    pub(super) backed: bool,
    pub(super) expires_at: Timestamp,
    #[serde(default)]
    holds: Vec<Hold>,
}

#[derive(Debug, Deserialize)]
struct Hold {
    code: String,
    amount: f64,
}

pub(in crate::cli) async fn run(arguments: Arguments) -> Result<(), Error> {
    let answer = arguments.service.get(&["leases"], "").await?;
    arguments.form.show(&answer, |screen| {
        let answered: Answered = answer.parse()?;
        if answered.leases.is_empty() {
            return Ok("no leases\n".to_owned());
        }
        let mut table = Table::new(&COLUMNS, "HOLDS");
        for lease in &answered.leases {
            table.add(lease.cells(), &lease.holds(), true);
        }
        Ok(table.render(screen))
    })
}

impl Lease {
    fn cells(&self) -> [Cell; 6] {
        let market = if self.spot { " spot" } else { "" };
        let state = match self.backed {
            true => Cell::new(&self.state, Tone::Good),
            false => Cell::new(format!("{}, unbacked", self.state), Tone::Doubtful),
        };
        [
            format!("{}/{}", self.backend, self.region).into(),
            format!("{}{market}", self.instance_type).into(),
            self.count.to_string().into(),
            state,
            self.expires_at.to_string().into(),
            (&self.id).into(),
        ]
    }

    fn holds(&self) -> String {
        let holds = self.holds.iter();
        let holds =
            holds.map(|hold| format!("{} of {}", amount(Some(hold.amount), None), hold.code));
        match holds.collect::<Vec<_>>().join(", ") {
            nothing if nothing.is_empty() => "nothing".to_owned(),
            holds => holds,
        }
    }
}
