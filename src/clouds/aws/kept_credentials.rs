//! A backend's credentials, kept as long as they are good and asked for again when they may have
//! changed: every minute where files hold them, after a refusal, and when the operator asks.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use futures_util::future::BoxFuture;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::secret::{self, ExposeSecret, READ_EVERY};

/// A little less than an attempt of the call that waits for them, so that the sentence of the
/// failure names credentials and not the call.
const LOAD_TIMEOUT: Duration = Duration::from_millis(4800);

/// The SDK's own reserve: credentials are replaced so long before they end.
const RENEWED_BEFORE_END: Duration = Duration::from_secs(10);

/// How often a refusal may lead to the files: many regions are refused at once.
const LOOKED_AFTER_REFUSAL_EVERY: Duration = Duration::from_secs(1);

/// A source of credentials.
pub(super) trait LoadCredentials: fmt::Debug + Send + Sync {
    /// Asks for credentials.
    fn load(&mut self) -> BoxFuture<'_, Result<Credentials, CredentialsError>>;

    /// Returns whether files may hold other credentials than those that were last loaded.
    fn files_changed(&self) -> BoxFuture<'_, bool>;
}

/// The credentials that calls are signed with.
#[derive(Debug)]
pub(super) struct KeptCredentials {
    /// Held while they are asked for, so that one caller asks at a time.
    state: Mutex<State>,
    /// Counts how often others took their place.
    changes: AtomicU64,
}

#[derive(Debug)]
struct State {
    source: Box<dyn LoadCredentials>,
    kept: Option<Kept>,
    /// When they were last asked for, or looked for after a refusal.
    looked: Option<Instant>,
    /// Whether the last good ones are in force for want of new ones.
    failing: bool,
}

#[derive(Debug)]
struct Kept {
    credentials: Credentials,
    ask_again_at: Instant,
    generation: u64,
}

impl KeptCredentials {
    /// Credentials from this source; nothing is asked yet.
    pub(super) fn new(source: impl LoadCredentials + 'static) -> Self {
        Self {
            state: Mutex::new(State {
                source: Box::new(source),
                kept: None,
                looked: None,
                failing: false,
            }),
            changes: AtomicU64::new(0),
        }
    }

    /// Returns a number that changes when others take the place of the credentials.
    pub(super) fn version(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// Looks for others after a refusal, and returns whether there are any since `version`.
    ///
    /// Only files are looked at: a role that was given a minute ago is not given better now, and
    /// whoever gives it would be asked at each refusal.
    pub(super) async fn changed_since(&self, version: u64) -> bool {
        let mut state = self.state.lock().await;
        let may_look = state
            .looked
            .is_none_or(|looked| looked.elapsed() >= LOOKED_AFTER_REFUSAL_EVERY);
        if self.version() == version && may_look {
            state.looked = Some(Instant::now());
            if state.source.files_changed().await {
                // The call that is made again reports what is wrong with them.
                let _ = self.ask(&mut state).await;
            }
        }
        self.version() != version
    }

    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let mut state = self.state.lock().await;
        if let Some(kept) = &state.kept
            && Instant::now() < kept.ask_again_at
            && kept.generation == secret::generation()
        {
            return Ok(kept.credentials.clone());
        }
        self.ask(&mut state).await
    }

    async fn ask(&self, state: &mut State) -> Result<Credentials, CredentialsError> {
        // Taken first: a reload that is asked for meanwhile is not lost.
        let generation = secret::generation();
        let now = Instant::now();
        let asked = state.source.load().await.and_then(cleaned);
        match asked {
            Ok(credentials) => {
                if state.failing {
                    tracing::info!("there are new credentials again");
                }
                state.failing = false;
                state.looked = Some(now);
                let last = state.kept.replace(Kept {
                    credentials: credentials.clone(),
                    ask_again_at: now + good_for(&credentials),
                    generation,
                });
                if last.is_some_and(|last| !same(&last.credentials, &credentials)) {
                    self.changes.fetch_add(1, Ordering::Relaxed);
                }
                Ok(credentials)
            }
            Err(error) => {
                let good = |kept: &&mut Kept| {
                    let end = kept.credentials.expiry();
                    end.is_none_or(|end| end > SystemTime::now())
                };
                let Some(kept) = state.kept.as_mut().filter(good) else {
                    return Err(error);
                };
                // Said once, not every minute.
                if !state.failing {
                    let error = super::errors::root_cause(&error);
                    tracing::warn!("the last good credentials stay in force: {error}");
                }
                state.failing = true;
                kept.ask_again_at = now + READ_EVERY;
                kept.generation = generation;
                Ok(kept.credentials.clone())
            }
        }
    }
}

impl ProvideCredentials for KeptCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let credentials = timeout(LOAD_TIMEOUT, self.credentials()).await;
            credentials.unwrap_or_else(|_| Err(CredentialsError::provider_timed_out(LOAD_TIMEOUT)))
        })
    }
}

/// Returns how long credentials need not be asked for again: a minute if they have no end, since
/// somebody may write others into their files.
fn good_for(credentials: &Credentials) -> Duration {
    let Some(end) = credentials.expiry() else {
        return READ_EVERY;
    };
    let left = end.duration_since(SystemTime::now()).unwrap_or_default();
    left.saturating_sub(RENEWED_BEFORE_END)
}

fn same(one: &Credentials, other: &Credentials) -> bool {
    one.access_key_id() == other.access_key_id()
        && one.secret_access_key() == other.secret_access_key()
        && one.session_token() == other.session_token()
}

/// Returns credentials without what editors and tools add to them.
///
/// Refuses what is no word: the SDK would send it, or panic on a line break in a header.
fn cleaned(credentials: Credentials) -> Result<Credentials, CredentialsError> {
    let word = |text: &str, place: &str| {
        secret::word(text, place).map_err(CredentialsError::invalid_configuration)
    };
    let id = word(credentials.access_key_id(), "the access key id")?;
    let secret = word(credentials.secret_access_key(), "the secret access key")?;
    let token = credentials
        .session_token()
        .filter(|token| !token.is_empty())
        .map(|token| word(token, "the session token"))
        .transpose()?;
    Ok(Credentials::new(
        id.expose_secret(),
        secret.expose_secret(),
        token.map(|token| token.expose_secret().to_owned()),
        credentials.expiry(),
        "quota-oracle",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_words_whatever_gave_them() {
        let clean = |id: &str, secret: &str, token: Option<&str>| {
            let token = token.map(str::to_owned);
            cleaned(Credentials::new(id, secret, token, None, "test"))
        };
        let found = clean("\u{feff}AKIA\r", " secret\n", Some("token\r\n")).unwrap();
        assert_eq!(found.access_key_id(), "AKIA");
        assert_eq!(found.secret_access_key(), "secret");
        assert_eq!(found.session_token(), Some("token"));
        assert_eq!(clean("A", "B", Some("")).unwrap().session_token(), None);
        for (id, secret, token, named) in [
            (
                "A\nplanted",
                "B",
                None,
                "the access key id holds a line break",
            ),
            (
                "A",
                "planted B",
                None,
                "the secret access key is not one word",
            ),
            (
                "A",
                "B",
                Some("\"planted\""),
                "the session token stands in quotation marks",
            ),
        ] {
            let error = clean(id, secret, token).unwrap_err();
            let sentence = crate::clouds::aws::errors::root_cause(&error);
            assert!(sentence.starts_with(named), "{sentence}");
            assert!(!format!("{error:?}").contains("planted"), "{error:?}");
        }
    }
}
