//! The HTTP interface, a folder or file per resource.
//!
//! Handlers parse, ask the [`Oracle`](crate::oracle::Oracle) and render. Everything around them
//! (request ids, tokens, deadlines, panics, errors as problem documents, metrics) is in
//! `middleware`, so that no handler can forget it; only `quotas/fast_path` answers without them.
//! Only `error` chooses an error
//! status, and `aws_protocol` for the protocol that is not ours.

mod drain;
mod heavy;
mod hosts;
mod page;
mod router;
mod routes;
mod state;
mod streams;

mod error;
mod openapi;
mod settings;
mod vocabulary;

mod auth;
mod extract;
mod feedback;
mod middleware;
mod server;

mod aws_protocol;
mod dashboard;
mod events;
mod health;
mod leases;
mod offers;
mod quotas;
mod refresh;
mod session;
mod verify;

pub use aws_protocol::endpoint::AwsProtocol;
pub use extract::format::Format;
pub use feedback::meaning_as_json;
pub use offers::query::{
    AvailabilityName, OfferFilter, OffersQuery, PageQuery, PlanQuery, PlanSize, SortName,
};
pub use router::{Service, openapi_document, service};
pub use server::{Ending, serve};
pub use settings::{
    AwsAnswers, AwsClient, AwsClientSettings, AwsMarket, AwsProtocolSettings, AwsValue, Scope,
    Settings, Token, TokenHash, TokenSettings,
};
