//! `offers`: what can be launched, and which quota stands in the way.

mod table;

use clap::Args;

use crate::cli::output::Error;
use crate::http::{OfferFilter, OffersQuery, PageQuery};

use super::service::{Answer, Service};
use super::{Form, gpu};

pub(super) use table::{Backend, Offers, UnknownName, notes, place, price, type_name};

#[derive(Args, Debug)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    pub(super) question: Question,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    service: Service,
}

// No doc comments on these structs: clap would show them as the description of the command.
#[derive(Args, Clone, Debug)]
pub(super) struct Question {
    #[command(flatten)]
    filter: FilterFlags,
    #[command(flatten)]
    page: PageQuery,
}

#[derive(Args, Clone, Debug)]
pub(super) struct FilterFlags {
    #[command(flatten)]
    filter: OfferFilter,
    /// Only on-demand offers
    #[arg(long, conflicts_with = "spot")]
    on_demand: bool,
    /// Offers without GPUs, too, which else are shown only where a type is named
    #[arg(long)]
    all: bool,
}

impl FilterFlags {
    /// Spells out what terminals write shorter than the service reads it.
    pub(super) fn into_filter(self) -> Result<OfferFilter, Error> {
        let mut filter = self.filter;
        gpu::spell_out(&mut filter)?;
        if self.on_demand {
            filter.spot = Some(false);
        }
        let names_types = !filter.instance_type.is_empty();
        let counts = filter.min_gpu_count.is_some() || filter.max_gpu_count.is_some();
        if !(self.all || names_types || counts) {
            filter.min_gpu_count = Some(1);
        }
        Ok(filter)
    }
}

impl Question {
    /// Asks the service.
    pub(super) async fn ask(&self, service: &Service) -> Result<Answer, Error> {
        let query = OffersQuery {
            filter: self.filter.clone().into_filter()?,
            page: self.page.clone(),
        };
        let query = serde_html_form::to_string(&query).map_err(Error::failed)?;
        service.get(&["offers"], &query).await
    }
}

pub(in crate::cli) async fn run(arguments: Arguments) -> Result<(), Error> {
    let answer = arguments.question.ask(&arguments.service).await?;
    arguments.form.show(&answer, |screen| {
        let offers: Offers = answer.parse()?;
        offers.expect_names()?;
        Ok(offers.render(screen))
    })?;
    // One that was printed as it came ends alike, as far as it is understood.
    let offers = answer.parse::<Offers>();
    offers.map_or(Ok(()), |offers| offers.expect_names())
}
