//! Accounts as they are named in short: `NAME` or `NAME=CREDENTIALS`.

use toml::{Table, Value};

use crate::config::backends::is_plain_name;

/// An AWS account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsAccount {
    /// Its name.
    pub name: String,
    credentials: AwsCredentials,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum AwsCredentials {
    Default,
    Profile(String),
    Role(String),
    Key { id: String, secret_file: String },
}

/// A Nebius tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NebiusAccount {
    /// Its name.
    pub name: String,
    credentials: NebiusCredentials,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum NebiusCredentials {
    File(String),
    Token(String),
    Metadata,
}

/// A project of Google Cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GcpAccount {
    /// Its name.
    pub name: String,
    credentials: GcpCredentials,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum GcpCredentials {
    File(String),
    User(String),
    /// Those of a virtual machine, which do not tell the project to read.
    Metadata {
        project: String,
    },
}

/// An Azure subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AzureAccount {
    /// Its name.
    pub name: String,
    subscription: String,
    application: Option<AzureApplication>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct AzureApplication {
    tenant: String,
    client_id: String,
    secret_file: String,
}

impl AwsAccount {
    /// Reads `NAME`, `NAME=default`, `NAME=profile:PROFILE`, `NAME=role:ARN` or `NAME=key:ID`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, credentials) = split(text)?;
        let credentials = match credentials.split_once(':') {
            None if ["", "default"].contains(&credentials) => AwsCredentials::Default,
            Some(("profile", profile)) if !profile.is_empty() => {
                AwsCredentials::Profile(profile.to_owned())
            }
            Some(("role", arn)) if arn.starts_with("arn:") => AwsCredentials::Role(arn.to_owned()),
            Some(("key", id)) if is_plain_name(id) => AwsCredentials::Key {
                id: id.to_owned(),
                secret_file: format!("secrets/{name}"),
            },
            _ => {
                return Err(format!(
                    "`{credentials}` are no credentials of AWS; write `default`, \
                     `profile:PROFILE`, `role:ARN` or `key:ACCESS_KEY_ID`"
                ));
            }
        };
        Ok(Self { name, credentials })
    }

    pub(super) fn is_default(&self) -> bool {
        self.credentials == AwsCredentials::Default
    }

    /// The value of the key `credentials`.
    pub(super) fn credentials(&self) -> Value {
        match &self.credentials {
            AwsCredentials::Default => table(&[("source", "default")]),
            AwsCredentials::Profile(profile) => {
                table(&[("source", "profile"), ("profile", profile)])
            }
            AwsCredentials::Role(arn) => table(&[("source", "assume_role"), ("role_arn", arn)]),
            AwsCredentials::Key { id, secret_file } => table(&[
                ("source", "static"),
                ("access_key_id", id),
                ("secret_access_key_file", secret_file),
            ]),
        }
    }
}

impl NebiusAccount {
    /// Reads `NAME`, `NAME=FILE`, `NAME=token:FILE` or `NAME=metadata`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, credentials) = split(text)?;
        let credentials = match (credentials, credentials.split_once(':')) {
            ("", _) => NebiusCredentials::File(format!("secrets/{name}.json")),
            ("metadata", _) => NebiusCredentials::Metadata,
            (_, Some(("token", file))) if !file.is_empty() => NebiusCredentials::Token(found(file)),
            (file, _) => NebiusCredentials::File(found(file)),
        };
        Ok(Self { name, credentials })
    }

    /// The value of the key `credentials`.
    pub(super) fn credentials(&self) -> Value {
        match &self.credentials {
            NebiusCredentials::File(file) => {
                table(&[("source", "service_account"), ("file", file)])
            }
            NebiusCredentials::Token(file) => table(&[("source", "token"), ("token_file", file)]),
            NebiusCredentials::Metadata => table(&[("source", "metadata")]),
        }
    }
}

impl GcpAccount {
    /// Reads `NAME`, `NAME=FILE`, `NAME=user:FILE` or `NAME=metadata:PROJECT`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, credentials) = split(text)?;
        let credentials = match (credentials, credentials.split_once(':')) {
            ("", _) => GcpCredentials::File(format!("secrets/{name}.json")),
            (_, Some(("user", file))) if !file.is_empty() => GcpCredentials::User(found(file)),
            (_, Some(("metadata", project))) if !project.is_empty() => GcpCredentials::Metadata {
                project: project.to_owned(),
            },
            ("metadata", _) | (_, Some(("metadata" | "user", _))) => {
                return Err(format!(
                    "`{credentials}` are no credentials of Google Cloud; write a key file, \
                     `user:FILE` or `metadata:PROJECT`"
                ));
            }
            (file, _) => GcpCredentials::File(found(file)),
        };
        Ok(Self { name, credentials })
    }

    /// The project, where the credentials do not tell it.
    pub(super) fn project(&self) -> Option<&str> {
        match &self.credentials {
            GcpCredentials::Metadata { project } => Some(project),
            GcpCredentials::File(_) | GcpCredentials::User(_) => None,
        }
    }

    /// The value of the key `credentials`.
    pub(super) fn credentials(&self) -> Value {
        match &self.credentials {
            GcpCredentials::File(file) => table(&[("source", "service_account"), ("file", file)]),
            GcpCredentials::User(file) => table(&[("source", "authorized_user"), ("file", file)]),
            GcpCredentials::Metadata { .. } => table(&[("source", "metadata")]),
        }
    }
}

impl AzureAccount {
    /// Reads `NAME=SUBSCRIPTION` or `NAME=SUBSCRIPTION:TENANT:CLIENT_ID`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, credentials) = split(text)?;
        let parts: Vec<_> = credentials.split(':').collect();
        let application = match parts[..] {
            _ if !parts.iter().all(|part| is_plain_name(part)) => Err(()),
            [_] => Ok(None),
            [_, tenant, client_id] => Ok(Some(AzureApplication {
                tenant: tenant.to_owned(),
                client_id: client_id.to_owned(),
                secret_file: format!("secrets/{name}"),
            })),
            _ => Err(()),
        };
        let wrong = |()| {
            format!(
                "`{credentials}` is no subscription of Azure; write `SUBSCRIPTION`, or \
                 `SUBSCRIPTION:TENANT:CLIENT_ID` for an application with a secret"
            )
        };
        Ok(Self {
            subscription: parts[0].to_owned(),
            application: application.map_err(wrong)?,
            name,
        })
    }

    pub(super) fn subscription(&self) -> &str {
        &self.subscription
    }

    /// The tenant, where the environment does not tell it.
    pub(super) fn tenant(&self) -> Option<&str> {
        let application = self.application.as_ref();
        application.map(|application| application.tenant.as_str())
    }

    /// The value of the key `credentials`.
    pub(super) fn credentials(&self) -> Value {
        match &self.application {
            None => table(&[("source", "default")]),
            Some(application) => table(&[
                ("source", "client_secret"),
                ("client_id", &application.client_id),
                ("client_secret_file", &application.secret_file),
            ]),
        }
    }
}

fn split(text: &str) -> Result<(String, &str), String> {
    let (name, credentials) = text.split_once('=').unwrap_or((text, ""));
    match is_plain_name(name) {
        true => Ok((name.to_owned(), credentials)),
        false => Err(format!(
            "`{name}` is not a valid name: it starts with a letter or a digit and has only \
             letters, digits, `-`, `_` and `.`"
        )),
    }
}

/// A file that is there is named from the working directory, others from the configuration's.
fn found(file: &str) -> String {
    let absolute = std::path::absolute(file).ok().filter(|path| path.exists());
    let absolute = absolute.and_then(|path| path.to_str().map(str::to_owned));
    absolute.unwrap_or_else(|| file.to_owned())
}

fn table(entries: &[(&str, &str)]) -> Value {
    let entries = entries.iter();
    let entries = entries.map(|(key, value)| ((*key).to_owned(), Value::from(*value)));
    Value::Table(Table::from_iter(entries))
}
