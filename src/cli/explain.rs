//! `explain`: tells what the error of a failed launch means, without a service.

use std::io::{IsTerminal, Read};

use clap::Args;

use crate::clouds::launch_quota;
use crate::feedback::{LaunchError, MOST_TEXT, Meaning, NamedQuota, classify, known_clouds};
use crate::http::meaning_as_json;
use crate::model::{Market, suggest};

use super::output::{Error, print};

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The text of the error; without it, or as `-`, it is read from standard input.
    message: Option<String>,
    /// The cloud: aws, azure, crusoe, gcp, lambda, nebius, oci or runpod.
    #[arg(long)]
    cloud: String,
    /// The code that came with the error.
    #[arg(long)]
    code: Option<String>,
    /// The status of an answer over HTTP.
    #[arg(long, value_name = "STATUS")]
    http_status: Option<u16>,
    /// The status of an answer over gRPC, by name or number.
    #[arg(long, value_name = "STATUS")]
    grpc_code: Option<String>,
    /// The region of the launch.
    #[arg(long)]
    region: Option<String>,
    /// The zone of the launch.
    #[arg(long)]
    zone: Option<String>,
    /// The type that was launched.
    #[arg(long, value_name = "TYPE")]
    instance_type: Option<String>,
    /// Whether it was a spot launch.
    #[arg(long)]
    spot: bool,
    /// Print the answer as `POST /feedback` gives it.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Error> {
    let cloud = &*arguments.cloud;
    let known: Vec<_> = known_clouds().collect();
    if !known.contains(&cloud) {
        let near = suggest(cloud, &known);
        let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        let known = known.join(", ");
        return Err(Error::Usage(format!(
            "the errors of `{cloud}` are not known{near} (known: {known})"
        )));
    }
    let message = match arguments.message.as_deref() {
        Some("-") => from_standard_input()?,
        Some(message) => message.to_owned(),
        // A code alone may be all that there is, and nobody types an error by hand.
        None if std::io::stdin().is_terminal() => String::new(),
        None => from_standard_input()?,
    };
    let error = LaunchError {
        region: arguments.region.as_deref(),
        zone: arguments.zone.as_deref(),
        instance_type: arguments.instance_type.as_deref(),
        market: match arguments.spot {
            true => Market::Spot,
            false => Market::OnDemand,
        },
        code: arguments.code.as_deref(),
        message: &message,
        http_status: arguments.http_status,
        grpc_code: arguments.grpc_code.as_deref(),
        details: None,
    };
    let meaning = classify(cloud, &error, &|instance_type, market| {
        let (code, name) = launch_quota(cloud, instance_type, market)?;
        Some(NamedQuota::coded(code, name))
    });
    match arguments.json {
        true => print(&meaning_as_json(&meaning)),
        false => print(&table(&meaning)),
    }
}

/// Reads an error; so much that both its start and its end are there.
fn from_standard_input() -> Result<String, Error> {
    let mut bytes = Vec::new();
    let most = 64 * MOST_TEXT as u64;
    let read = std::io::stdin().take(most).read_to_end(&mut bytes);
    read.map_err(|error| Error::Failed(format!("standard input cannot be read: {error}")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn table(meaning: &Meaning) -> String {
    let reach = &meaning.reach;
    let quota = meaning.quota.as_ref();
    // Most clouds' errors have one name for it, which is its code.
    let (code, name) = match quota.map(|quota| (quota.code.clone(), quota.name.clone())) {
        Some((Some(code), name)) => (Some(code), Some(name)),
        Some((None, name)) => (Some(name), None),
        None => (None, None),
    };
    let number = |amount: Option<crate::model::Amount>| amount.map(|amount| amount.to_string());
    let lines = [
        ("class", Some(meaning.class.as_str().to_owned())),
        ("reaches", Some(reach.level.as_str().to_owned())),
        ("region", reach.region.clone()),
        ("zone", reach.zone.clone()),
        ("type", reach.instance_type.clone()),
        (
            "market",
            reach.market.map(|market| market.as_str().to_owned()),
        ),
        ("quota", code),
        ("name", name),
        ("resource", reach.resource.clone()),
        ("service", reach.service.clone()),
        ("limit", number(meaning.limit)),
        ("usage", number(meaning.usage)),
        ("required", number(meaning.required)),
        ("transient", Some(meaning.transient.to_string())),
    ];
    let lines = lines.into_iter();
    let mut text: String = lines
        .filter_map(|(name, value)| Some(format!("{name:<10}{}\n", value?)))
        .collect();
    if !meaning.is_recognised {
        text.push_str("\nno line of the cloud's table speaks of this error\n");
    }
    text
}
