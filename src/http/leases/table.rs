//! Leases as a table for people.

use comfy_table::Table;
use comfy_table::presets::NOTHING;

use crate::http::quotas::body::time;
use crate::model::{Hold, Lease, Market, printable};

use super::body::state;

/// Renders leases.
pub(super) fn body(leases: &[Lease]) -> String {
    if leases.is_empty() {
        return "no leases\n".to_owned();
    }
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_header(["ID", "STATE", "PLACE", "TYPE", "COUNT", "ENDS", "HOLDS"]);
    for lease in leases {
        table.add_row(row(lease).each_ref().map(|cell| printable(cell)));
    }
    let mut text = table.trim_fmt();
    text.push('\n');
    text
}

fn row(lease: &Lease) -> [String; 7] {
    let market = match lease.market {
        Market::OnDemand => "",
        Market::Spot => " (spot)",
    };
    let hold = |hold: &Hold| format!("{} of {}", hold.amount, hold.place.key.code);
    let holds: Vec<_> = lease.holds.iter().map(hold).collect();
    [
        lease.id.to_string(),
        state(lease).to_owned(),
        format!("{}/{}", lease.backend, lease.region),
        format!("{}{market}", lease.instance_type),
        lease.count.to_string(),
        time(lease.expires_at.wall),
        match holds.is_empty() {
            true => "nothing".to_owned(),
            false => holds.join(", "),
        },
    ]
}
