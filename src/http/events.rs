//! `GET /events`: what changes, as server-sent events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, stream};
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until};
use utoipa::ToSchema;

use super::auth::Caller;
use super::drain::Step;
use super::error::{Kind, Problem, ProblemBody};
use super::extract::query::{NoQuery, StrictQuery};
use super::state::Shared;
use crate::oracle::{EventId, RegionEvent, Subscription};

/// When a caller who was turned away may ask again; streams are opened for long.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// The longest that a stream lasts; whoever opens it again shows a token that still holds.
const LONGEST: Duration = Duration::from_secs(3600);

/// A line that says nothing keeps proxies from closing a silent stream, which most do after a
/// minute, and shows whether somebody still reads.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// When a browser opens a stream anew that has ended.
const RECONNECT_AFTER: Duration = Duration::from_secs(2);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Tells nginx not to collect the events of a stream.
const BUFFERING: (HeaderName, HeaderValue) = (
    HeaderName::from_static("x-accel-buffering"),
    HeaderValue::from_static("no"),
);

/// An event of the stream, as its lines say it.
#[derive(ToSchema)]
#[schema(as = StreamedEvent)]
#[expect(dead_code, reason = "it is the shape of lines, for the document")]
struct SentEvent {
    /// `<instance>-<n>`.
    #[schema(example = "0c49916fbae8e430-7")]
    id: Option<String>,
    /// `reset` where everything should be asked for again; absent otherwise.
    #[schema(example = "reset")]
    event: Option<String>,
    /// After how many milliseconds a caller connects anew.
    #[schema(example = 2000)]
    retry: Option<u64>,
    /// JSON: an object of `backend`, `region`, `revision` and `quotas_freed`, the codes of the
    /// quotas that have more room than before; empty for `reset`.
    #[schema(
        example = "{\"backend\":\"aws\",\"region\":\"us-east-1\",\"revision\":\"5f3c9a0b7d21e684\",\"quotas_freed\":[\"L-417A185B\"]}"
    )]
    data: Option<String>,
}

/// A change of what is said of a region, as the data of an event.
#[derive(Serialize)]
struct EventBody<'a> {
    /// The backend's name.
    backend: &'a str,
    /// The cloud's own region name.
    region: &'a str,
    /// A word that is another one after each change of what is said of the region.
    revision: String,
    /// The codes of the quotas that have more room than before.
    quotas_freed: Vec<&'a str>,
}

/// Changes as they happen, as server-sent events: the answers about a region are other ones, and
/// some of its quotas may have more room.
///
/// The `id` of an event is `<instance>-<n>`. With `Last-Event-ID` those since then come first; where
/// they are not known any more, an event of the type `reset` comes first, after which everything
/// should be asked for again. A stream lasts an hour at most, and ends when the service does.
#[utoipa::path(get, path = "/events", operation_id = "follow_events", tag = "operation",
    params(("Last-Event-ID" = Option<String>, Header,
        description = "The id of the last event that was seen")),
    responses(
        (status = 200, body = SentEvent, content_type = "text/event-stream"),
        (status = 503, body = ProblemBody, description = "Too many streams are open")))]
pub(super) async fn events(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    _: StrictQuery<NoQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let place = shared.0.streams.take().ok_or_else(|| {
        let detail = "too many streams of events are open";
        Problem::new(Kind::Overloaded, detail).retry_after(RETRY_AFTER)
    })?;
    // What is not text is no id of ours.
    let after = headers.get(LAST_EVENT_ID);
    let after = after.map(|id| id.to_str().unwrap_or_default());
    let (subscription, missed) = shared.0.oracle.subscribe(after.filter(|id| !id.is_empty()));
    let first = Event::default().retry(RECONNECT_AFTER);
    let first = match missed {
        // Without data it is no event, and still the place to go on from.
        None => first.id(subscription.place().to_string()),
        Some(_) => reset(first, subscription.place()),
    };
    let following = Following {
        shared,
        caller,
        subscription,
        ends_at: Instant::now() + LONGEST,
        waiting: VecDeque::from([first]),
        _place: place,
    };
    let stream = Sse::new(following.stream()).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    Ok(([BUFFERING], stream).into_response())
}

/// A stream under way.
struct Following {
    shared: Shared,
    caller: Caller,
    subscription: Subscription,
    ends_at: Instant,
    /// Events that were taken from the log and not yet sent; a few dozen at most.
    waiting: VecDeque<Event>,
    _place: OwnedSemaphorePermit,
}

impl Following {
    fn stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut following| async {
            let event = following.next().await?;
            Some((Ok(event), following))
        })
    }

    /// Returns the next event, or nothing at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            let next = tokio::select! {
                next = self.subscription.next() => next,
                () = self.shared.0.drain.reached(Step::Draining) => return None,
                () = sleep_until(self.ends_at) => return None,
            };
            match next {
                Err(_) => return Some(reset(Event::default(), self.subscription.place())),
                Ok(events) => {
                    let seen = events
                        .iter()
                        .filter(|event| self.caller.sees(event.backend.as_str()));
                    let told = seen.map(|event| told(event, self.subscription.id(event.number)));
                    self.waiting.extend(told);
                }
            }
        }
    }
}

fn told(event: &RegionEvent, id: EventId) -> Event {
    let body = EventBody {
        backend: event.backend.as_str(),
        region: event.region.as_str(),
        revision: format!("{:016x}", event.revision),
        quotas_freed: event.quotas_freed.iter().map(|code| &**code).collect(),
    };
    let data = serde_json::to_string(&body).expect("wire structs have text keys only");
    Event::default().id(id.to_string()).data(data)
}

/// Tells that some events were missed.
fn reset(event: Event, place: EventId) -> Event {
    event.event("reset").id(place.to_string()).data("{}")
}
