//! `verify`: the last check before a launch, and a lease for it.

use clap::Args;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use crate::cli::output::Error;
use crate::cli::screen::Tone;

use super::answers::{Failure, Judgement};
use super::leases::Lease;
use super::{Form, Service};

#[derive(Args, Debug)]
pub(in crate::cli) struct Arguments {
    /// The backend's name
    backend: String,
    /// The cloud's own region name
    region: String,
    /// The cloud's name of the type
    instance_type: String,
    /// Spot instances
    #[arg(long)]
    spot: bool,
    /// How many are launched together
    #[arg(long, default_value_t = 1)]
    count: u32,
    /// Age beyond which a quota is asked of the cloud again
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    max_age: String,
    /// Take a lease for so long if it fits
    #[arg(long, value_name = "DURATION")]
    lease: Option<String>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    service: Service,
}

#[derive(Deserialize)]
struct Verified {
    #[serde(flatten)]
    judgement: Judgement,
    verified: bool,
    #[serde(default)]
    observed_at: Option<Timestamp>,
    #[serde(default)]
    failure: Option<Failure>,
    #[serde(default)]
    lease: Option<Lease>,
}

pub(in crate::cli) async fn run(arguments: Arguments) -> Result<(), Error> {
    let body = json!({
        "offer": {
            "backend": arguments.backend,
            "region": arguments.region,
            "instance_type": arguments.instance_type,
            "spot": arguments.spot,
        },
        "count": arguments.count,
        "max_age": arguments.max_age,
        "lease": arguments.lease,
    });
    let answer = arguments.service.post(&["verify"], Some(&body)).await?;
    arguments.form.show(&answer, |screen| {
        let verified: Verified = answer.parse()?;
        let (availability, reason) = (
            verified.judgement.availability(),
            verified.judgement.reason(),
        );
        let tone = Tone::of_availability(&verified.judgement.availability);
        let mut text = screen.paragraph(tone, &format!("{availability}: {reason}"));
        text.push_str(&screen.paragraph(Tone::Plain, &verified.basis()));
        if let Some(lease) = &verified.lease {
            let backed = if lease.backed {
                ""
            } else {
                ", which holds nothing"
            };
            let ends = lease.expires_at;
            let lease = format!("lease {} until {ends}{backed}", lease.id);
            text.push_str(&screen.paragraph(Tone::Plain, &lease));
        }
        let increase_url = verified.judgement.quota.increase_url.as_deref();
        if let Some(url) = increase_url.filter(|_| availability.contains("no_quota")) {
            let more = format!("ask for more: {url}");
            text.push_str(&screen.paragraph(Tone::Plain, &more));
        }
        Ok(text)
    })
}

impl Verified {
    /// Says whether the verdict rests on what the cloud has just said.
    fn basis(&self) -> String {
        let mut text = match self.verified {
            true => "verified",
            false => "not verified",
        }
        .to_owned();
        if let Some(at) = self.observed_at {
            text.push_str(&format!(", read at {at}"));
        }
        if let Some(failure) = &self.failure {
            text.push_str(&format!(": {failure}"));
        }
        text
    }
}
