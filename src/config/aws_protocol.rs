//! Checks the `[aws_protocol]` table, and reads its clients' secrets.

use std::path::Path;

use crate::http::{AwsClient, AwsClientSettings, AwsProtocolSettings};
use crate::model::BackendName;
use crate::secret::{Renewed, SecretSource, SecretText, clean};

use super::backends::{Backend, only_known};
use super::problem::Remedy;
use super::secrets::renewed;
use super::{KeyPath, Problem};

/// The settings with their clients' secrets read.
pub(super) fn resolve(
    written: AwsProtocolSettings<AwsClientSettings>,
    base: &Path,
    backends: &[Backend],
    on_loopback: bool,
    problems: &mut Vec<Problem>,
) -> AwsProtocolSettings {
    let at = KeyPath::of("aws_protocol");
    if !written.verify && !on_loopback {
        let claim = "can be false only while `server.listen` is a loopback address";
        problems.push(Problem::value(&at.key("verify"), claim));
    }
    if written.verify && written.clients.is_empty() {
        let claim = "is empty, so nobody could sign a request: add a client with an \
                     `access_key_id` and a `secret_access_key_file`";
        let line = "clients = [{ access_key_id = \"oracle-1\", secret_access_key_file = \
                    \"secrets/oracle-1\" }]";
        let remedy = Remedy::Line(line.to_owned());
        problems.push(Problem::value(&at.key("clients"), claim).with_remedy(remedy));
    }
    let spoken_of: Vec<_> = backends
        .iter()
        .filter(|backend| backend.cloud.native_answers().is_some())
        .map(|backend| backend.name.clone())
        .collect();
    let mut clients: Vec<AwsClient> = Vec::new();
    for (index, mut client) in written.clients.into_iter().enumerate() {
        let at = at.key("clients").index(index);
        client.access_key_id = clean(&client.access_key_id).to_owned();
        let id = client.access_key_id.clone();
        if clients.iter().any(|earlier| earlier.access_key_id == id) {
            let sentence = format!("two clients have the access key id `{id}`");
            problems
                .push(Problem::new(&at.key("access_key_id"), sentence).with_remedy(Remedy::None));
            continue;
        }
        match resolve_client(client, &at, base, &spoken_of) {
            Ok(client) => clients.push(client),
            Err(problem) => problems.push(problem),
        }
    }
    AwsProtocolSettings {
        verify: written.verify,
        clients,
    }
}

fn resolve_client(
    written: AwsClientSettings,
    at: &KeyPath,
    base: &Path,
    backends: &[BackendName],
) -> Result<AwsClient, Problem> {
    if written.access_key_id.is_empty() {
        return Err(Problem::value(&at.key("access_key_id"), "is empty"));
    }
    Ok(AwsClient {
        secret_access_key: secret(&written, at, base)?,
        access_key_id: written.access_key_id,
        backends: only_known(written.backends, at, backends)?,
    })
}

fn secret(
    written: &AwsClientSettings,
    at: &KeyPath,
    base: &Path,
) -> Result<Renewed<SecretText>, Problem> {
    let id = &written.access_key_id;
    let source = match (&written.secret_access_key_file, &written.secret_access_key) {
        (Some(file), None) => SecretSource::File(file.clone()),
        (None, Some(secret)) => SecretSource::Text(secret.clone()),
        (None, None) => {
            return Err(Problem::new(
                at,
                format!("the client `{id}` has no secret: give a `secret_access_key_file`"),
            )
            .with_remedy(Remedy::ExampleOf(at.key("secret_access_key_file"))));
        }
        (Some(_), Some(_)) => {
            return Err(Problem::new(
                at,
                format!(
                    "the client `{id}` has two secrets: keep `secret_access_key_file` or the \
                     environment's `secret_access_key`"
                ),
            ));
        }
    };
    let at = at.key(source.key("secret_access_key_file", "secret_access_key"));
    renewed(source, base, |text| SecretText::from(text.clone()))
        .map_err(|error| Problem::reason(&at, error).with_remedy(Remedy::None))
}
