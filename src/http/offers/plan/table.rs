//! Plans as a table for people.

use comfy_table::Table;
use comfy_table::presets::NOTHING;

use crate::http::offers::table::{notes, reason};
use crate::model::{Market, PriceBasis, Standing, printable, printable_lines};
use crate::oracle::{Plan, PlanPage};

const COLUMNS: [&str; 7] = ["FITS", "PRICE", "PLACE", "NODES", "TYPE", "GPUS", "REASON"];

/// Renders plans, with what is not known of the backends above them.
pub(super) fn body(page: &PlanPage) -> String {
    let mut text = printable_lines(&notes(&page.backends, &page.unknown)).into_owned();
    if page.total == 0 {
        text.push_str("no offer has such GPUs\n");
        return text;
    }
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(COLUMNS);
    let mut shown = 0;
    for plan in page.plans() {
        table.add_row(row(&plan).each_ref().map(|cell| printable(cell)));
        shown += 1;
    }
    text.push_str(&table.trim_fmt());
    text.push('\n');
    if shown < page.total {
        text.push_str(&format!("{shown} of {} plans\n", page.total));
    }
    text
}

fn row(plan: &Plan<'_>) -> [String; 7] {
    let Plan { placement, node } = plan;
    let offer = &node.offer;
    let market = match offer.market {
        Market::OnDemand => "",
        Market::Spot => " spot",
    };
    let price = match (placement.price(offer.price), offer.price_basis) {
        (Some(price), PriceBasis::Estimated) => format!("~{price:.2}"),
        (Some(price), _) => format!("{price:.2}"),
        (None, _) => "?".to_owned(),
    };
    let gpus = match &offer.shape.gpu {
        Some(gpu) => format!("{} x {}", placement.gpus, gpu.name),
        None => placement.gpus.to_string(),
    };
    let fits = match placement.standing {
        Standing::Fits => "yes".to_owned(),
        Standing::Short { missing } => format!("{missing} missing"),
        Standing::Unknown => "unknown".to_owned(),
        Standing::NotAvailable => "not available".to_owned(),
    };
    [
        fits,
        price,
        format!("{}/{}", node.backend, offer.region),
        placement.nodes.to_string(),
        format!("{}{market}", offer.shape.instance_type),
        gpus,
        reason(&node.assessment).into_owned(),
    ]
}
