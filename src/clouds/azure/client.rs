//! The calls to Azure Resource Manager about one subscription: each signed, paged to the end, and
//! made through the upstream client.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Weak};

use parking_lot::Mutex;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::credentials;
use super::errors;
use super::locations::is_location;
use super::operations::{COMPUTE_USAGES, Call, FAMILIES, NETWORK_USAGES, SIZES};
use super::settings::Settings;
use super::sizes::SizeList;
use super::token_source::TokenSource;
use super::wire::{FamilyRow, Page, SkuRow, UsageRow};
use crate::clouds::cloud::Connection;
use crate::clouds::kit::Sent;
use crate::clouds::kit::endpoint::Endpoint;
use crate::clouds::kit::pages::every_page;
use crate::clouds::kit::rest::{Answer, Rest};
use crate::clouds::kit::signed::{Question, SignedRest};
use crate::clouds::kit::token::Tokens;
use crate::model::{Failure, FailureKind, Region};
use crate::source::{CallContext, Priority, Urgency};

/// Lists of this kind are one page each, as far as anybody has seen.
const MOST_PAGES: usize = 50;

/// Calls Azure Resource Manager about one subscription.
#[derive(Debug)]
pub(super) struct Client {
    subscription: String,
    management: Endpoint,
    rest: SignedRest<TokenSource>,
    /// Held while sizes are listed: one list at a time, since each takes Azure many seconds.
    sizes_turn: Arc<Semaphore>,
}

impl Client {
    pub(super) fn new(settings: &Settings, connection: Connection) -> Result<Self, Failure> {
        let rest = Rest::shared();
        let identity = credentials::identity(settings, &connection)?;
        let upstream = connection.upstream;
        let token_source = TokenSource::new(settings, identity, rest.clone(), upstream.clone());
        let management = settings.management();
        Ok(Self {
            sizes_turn: turn(&format!("{} {}", management.0, settings.subscription)),
            subscription: settings.subscription.clone(),
            management,
            rest: SignedRest::new(rest, upstream, Tokens::new(token_source)),
        })
    }

    /// Returns the subscription's id.
    pub(super) fn subscription(&self) -> &str {
        &self.subscription
    }

    /// Lists the compute quotas of a location with their usage.
    pub(super) async fn compute_usages(
        &self,
        location: &Region,
        context: &CallContext,
    ) -> Result<Vec<Sent<UsageRow>>, Failure> {
        let path = "locations/{location}/usages";
        let rows = self.list(&COMPUTE_USAGES, location, path, context).await?;
        match rows.is_empty() {
            false => Ok(rows),
            true => Err(empty(&COMPUTE_USAGES, location)),
        }
    }

    /// Lists the network quotas of a location with their usage.
    pub(super) async fn network_usages(
        &self,
        location: &Region,
        context: &CallContext,
    ) -> Result<Vec<Sent<UsageRow>>, Failure> {
        let path = "locations/{location}/usages";
        self.list(&NETWORK_USAGES, location, path, context).await
    }

    /// Lists the families that have a quota category.
    pub(super) async fn families(
        &self,
        location: &Region,
        context: &CallContext,
    ) -> Result<Vec<FamilyRow>, Failure> {
        let path = "locations/{location}/vmFamilies";
        let rows = self.list(&FAMILIES, location, path, context).await?;
        Ok(rows.into_iter().map(|row| row.value).collect())
    }

    /// Lists the sizes of a location when it is its turn; nobody waits for it.
    pub(super) async fn sizes(&self, location: &Region) -> Result<SizeList, Failure> {
        let turn = self.sizes_turn.acquire().await;
        let _turn = turn.expect("nobody closes it");
        let context = CallContext {
            urgency: Urgency::new(Priority::Background),
            // Of all attempts, so that a location that hangs holds the others up no longer.
            deadline: (Instant::now() + SIZES.timeout).into_std(),
        };
        let rows: Vec<Sent<SkuRow>> = self.list(&SIZES, location, "skus", &context).await?;
        let rows: Vec<_> = rows.into_iter().map(|row| row.value).collect();
        let list = SizeList::new(location, &rows);
        match list.is_empty() {
            false => Ok(list),
            true => Err(empty(&SIZES, location)),
        }
    }

    async fn list<T: DeserializeOwned + Send>(
        &self,
        call: &'static Call,
        location: &Region,
        path: &str,
        context: &CallContext,
    ) -> Result<Vec<Sent<T>>, Failure> {
        if !is_location(location.as_str()) {
            let detail = format!("`{location}` is not a location's name, such as `eastus`");
            return Err(Failure::new(FailureKind::NotEnabled, detail));
        }
        let first = &self.first_page(call, location, path);
        every_page(call.operation.name, MOST_PAGES, |next| async move {
            let url = match &*next {
                "" => first.clone(),
                next => self.continued(call, next)?,
            };
            let question = Question {
                region: location,
                operation: &call.operation,
                url,
                headers: HeaderMap::new(),
                timeout: call.timeout,
            };
            let fits = |_: &Page<T>| true;
            let refusal =
                |answer: &Answer| errors::failure(answer, call, &self.subscription, location);
            let page = self.rest.get(question, fits, refusal, context).await?;
            let Sent { value: page, at } = page;
            let rows = page.value.into_iter().map(|value| Sent { value, at });
            Ok((rows.collect(), page.next_link.unwrap_or_default()))
        })
        .await
    }

    fn first_page(&self, call: &Call, location: &Region, path: &str) -> Url {
        let (subscription, provider) = (&self.subscription, call.provider);
        let path = path.replace("{location}", location.as_str());
        let path = format!("subscriptions/{subscription}/providers/{provider}/{path}");
        let mut url = self.management.below(&path);
        let version = call.api_version;
        let query = match path.ends_with("/skus") {
            // The only filter that the call has; without it the answer is of all locations.
            true => {
                let filter = format!("location eq '{location}'");
                let filter = utf8_percent_encode(&filter, NON_ALPHANUMERIC);
                format!("api-version={version}&$filter={filter}")
            }
            false => format!("api-version={version}"),
        };
        url.set_query(Some(&query));
        url
    }

    /// Returns the address of a next page, which the access token may be sent to: only where the
    /// first one came from.
    fn continued(&self, call: &Call, next: &str) -> Result<Url, Failure> {
        let url = Url::parse(next).ok();
        let is_ours = |url: &Url| {
            let has_user = !url.username().is_empty() || url.password().is_some();
            url.origin() == self.management.0.origin() && !has_user
        };
        url.filter(is_ours).ok_or_else(|| {
            let detail = format!(
                "the list of {} continues at another address than it began",
                call.operation.name
            );
            Failure::new(FailureKind::Malformed, detail)
        })
    }
}

/// An empty list is no answer: it would make every quota unknown and every size not offered.
fn empty(call: &Call, location: &Region) -> Failure {
    let name = call.operation.name;
    let detail = format!("{name} of {location} was answered with an empty list");
    Failure::new(FailureKind::Unavailable, detail)
}

/// Returns the turn that all backends of one account in the process take.
fn turn(account: &str) -> Arc<Semaphore> {
    static TURNS: LazyLock<Mutex<HashMap<String, Weak<Semaphore>>>> = LazyLock::new(Mutex::default);
    let mut turns = TURNS.lock();
    turns.retain(|_, turn| turn.strong_count() > 0);
    if let Some(turn) = turns.get(account).and_then(Weak::upgrade) {
        return turn;
    }
    let turn = Arc::new(Semaphore::new(1));
    turns.insert(account.to_owned(), Arc::downgrade(&turn));
    turn
}
