//! Owners of access keys: the accounts' users, and the sessions that STS hands out.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::error::ApiError;
use super::request::{Authorization, Request};
use super::settings::Account;

/// The owner of an access key.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) account: String,
    pub(super) arn: String,
    /// `UserId` of GetCallerIdentity.
    pub(super) user_id: String,
    pub(super) secret: String,
    session: Option<Session>,
}

#[derive(Clone, Debug)]
struct Session {
    token: String,
    expires: Instant,
}

/// Temporary keys as AssumeRole hands them out.
#[derive(Debug)]
pub(super) struct TemporaryKeys {
    pub(super) access_key_id: String,
    pub(super) secret: String,
    pub(super) token: String,
    pub(super) identity: Identity,
}

/// All access keys.
#[derive(Debug)]
pub(super) struct Identities(HashMap<String, Identity>);

impl Identities {
    pub(super) fn new(accounts: &[Account]) -> Self {
        Self(
            accounts
                .iter()
                .map(|account| {
                    let identity = Identity {
                        account: account.id.clone(),
                        arn: account.user_arn(),
                        user_id: "AIDAIOSFODNN7EXAMPLE".to_owned(),
                        secret: account.secret_access_key.clone(),
                        session: None,
                    };
                    (account.access_key_id.clone(), identity)
                })
                .collect(),
        )
    }

    /// The owner of a key, whether or not the rest of the request holds.
    pub(super) fn owner(&self, access_key_id: &str) -> Option<&Identity> {
        self.0.get(access_key_id)
    }

    /// The caller of a request, if its key is known and its session token fits and still lasts.
    pub(super) fn authenticate(
        &self,
        request: &Request,
        authorization: &Authorization,
        now: Instant,
    ) -> Result<Identity, ApiError> {
        let identity = self
            .owner(&authorization.access_key_id)
            .ok_or_else(ApiError::unrecognized)?;
        if let Some(session) = &identity.session {
            if request.header("x-amz-security-token") != Some(&session.token) {
                return Err(ApiError::unrecognized());
            }
            if now >= session.expires {
                return Err(ApiError::expired());
            }
        }
        Ok(identity.clone())
    }

    /// Makes the keys of a new session.
    pub(super) fn open_session(
        &mut self,
        account: &str,
        role: &str,
        session_name: &str,
        now: Instant,
        lasts: Duration,
    ) -> TemporaryKeys {
        let random = || format!("{:032X}", rand::random::<u128>());
        let access_key_id = format!("ASIA{}", &random()[..16]);
        let token = random() + &random();
        let identity = Identity {
            account: account.to_owned(),
            arn: format!("arn:aws:sts::{account}:assumed-role/{role}/{session_name}"),
            user_id: format!("AROAIOSFODNN7EXAMPLE:{session_name}"),
            secret: random(),
            session: Some(Session {
                token: token.clone(),
                expires: now + lasts,
            }),
        };
        self.0.insert(access_key_id.clone(), identity.clone());
        TemporaryKeys {
            access_key_id,
            secret: identity.secret.clone(),
            token,
            identity,
        }
    }

    /// Ends every session that STS has opened, as if its time were over.
    pub(super) fn expire_sessions(&mut self, now: Instant) {
        for identity in self.0.values_mut() {
            if let Some(session) = &mut identity.session {
                session.expires = now;
            }
        }
    }
}
