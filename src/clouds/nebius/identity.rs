//! The settings that identify the account, by which stored snapshots are recognized.

use crate::secret::SecretSource;

use super::settings::{CredentialsSettings, Endpoints, Settings};

impl Settings {
    /// Returns who calls, the tenant and projects that are read, and where the cloud is called.
    ///
    /// A token is a secret and renewed, so it identifies nothing; the tenant does where it is set.
    pub(super) fn identity(&self) -> Vec<(&'static str, String)> {
        let (source, name, value) = match &self.credentials {
            CredentialsSettings::CredentialsFile(file) => {
                ("service_account", "file", file.display().to_string())
            }
            CredentialsSettings::ServiceAccountKey {
                service_account_id, ..
            } => (
                "service_account",
                "service_account_id",
                service_account_id.clone(),
            ),
            CredentialsSettings::Token(SecretSource::File(file)) => {
                ("token", "token_file", file.display().to_string())
            }
            CredentialsSettings::Token(SecretSource::Text(_)) => {
                ("token", "token_file", String::new())
            }
            CredentialsSettings::Metadata => ("metadata", "file", String::new()),
        };
        let mut fields = vec![("source", source.to_owned()), (name, value)];
        fields.extend(self.tenant.iter().map(|tenant| ("tenant", tenant.clone())));
        // The rows of a project count for those who launch in it, as if it were an account.
        let projects = self.projects.iter().flatten();
        fields.extend(projects.map(|project| ("project", project.clone())));
        // Only other addresses than the cloud's own, so that a release may correct those.
        let (ours, usual) = (&self.endpoints, Endpoints::default());
        for (name, address, usual) in [
            ("endpoints.quotas", &ours.quotas, usual.quotas),
            ("endpoints.tokens", &ours.tokens, usual.tokens),
            ("endpoints.iam", &ours.iam, usual.iam),
            ("endpoints.metadata", &ours.metadata, usual.metadata),
        ] {
            if *address != usual {
                fields.push((name, address.0.to_string()));
            }
        }
        fields
    }

    /// Returns the text of all settings that format 2 of stored snapshots identifies the account
    /// by: those of that release, whatever is added to the settings.
    pub(super) fn format_2_identity(&self) -> String {
        let Self {
            credentials,
            tenant,
            projects,
            capacity,
            endpoints,
            ..
        } = self;
        format!(
            "Settings {{ credentials: {credentials:?}, tenant: {tenant:?}, projects: \
             {projects:?}, capacity: {capacity:?}, endpoints: {endpoints:?} }}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = r#"source = "service_account", service_account_id = "serviceaccount-1", public_key_id = "publickey-1", private_key_file = "key.pem""#;

    fn settings(credentials: &str, rest: &str) -> Settings {
        toml::from_str(&format!("credentials = {{ {credentials} }}\n{rest}")).unwrap()
    }

    #[test]
    fn only_settings_that_choose_the_account_identify_it() {
        let identity = |credentials: &str, rest: &str| settings(credentials, rest).identity();
        let first = identity(KEY, "");
        let same = [
            identity(&KEY.replace("publickey-1", "publickey-2"), ""),
            identity(KEY, "capacity = false"),
            identity(KEY, "endpoints = { capacity = \"http://127.0.0.1:1\" }"),
        ];
        assert!(same.iter().all(|each| *each == first), "{same:?}");
        let others = [
            identity(&KEY.replace("serviceaccount-1", "serviceaccount-2"), ""),
            identity(KEY, "tenant = \"tenant-1\""),
            identity(KEY, "tenant = \"tenant-2\""),
            identity(KEY, "projects = [\"project-1\"]"),
            identity(KEY, "endpoints = { iam = \"http://127.0.0.1:1\" }"),
            identity(r#"source = "service_account", file = "a.json""#, ""),
            identity(r#"source = "token", token_file = "token""#, ""),
            identity(r#"source = "token", token = "planted""#, ""),
            identity(r#"source = "metadata""#, ""),
        ];
        for (place, other) in others.iter().enumerate() {
            assert_ne!(*other, first);
            assert!(!others[..place].contains(other), "{other:?}");
            assert!(!format!("{other:?}").contains("planted"), "{other:?}");
        }
    }

    /// The texts were printed by the last release that wrote format 2. Should one no longer be
    /// reproduced, snapshots of that release are discarded at the first start.
    #[test]
    fn format_2_is_recognized_by_the_text_of_its_release() {
        let addresses = "quotas: Address(https://quota-dispatcher.billing-cpl.api.nebius.cloud:443/), \
             tokens: Address(https://tokens.iam.api.nebius.cloud:443/), \
             iam: Address(https://cpl.iam.api.nebius.cloud:443/), \
             compute: Address(https://compute.api.nebius.cloud:443/), \
             capacity: Address(https://capacity-advisor.billing-cpl.api.nebius.cloud:443/), \
             metadata: Address(http://metadata.nebius.internal/)";
        let text = settings(
            KEY,
            "tenant = \"tenant-1\"\nprojects = [\"project-1\"]\ncapacity = false",
        );
        let expected = format!(
            "Settings {{ credentials: ServiceAccountKey {{ service_account_id: \
             \"serviceaccount-1\", public_key_id: \"publickey-1\", private_key: \
             File(\"key.pem\") }}, tenant: Some(\"tenant-1\"), projects: \
             Some([\"project-1\"]), capacity: false, endpoints: Endpoints {{ {addresses} }} }}"
        );
        assert_eq!(text.format_2_identity(), expected);
        for (credentials, text) in [
            (
                r#"source = "service_account", file = "nebius.json""#,
                "CredentialsFile(\"nebius.json\")",
            ),
            (
                r#"source = "token", token = "planted""#,
                "Token(Text(SecretBox<str>([REDACTED])))",
            ),
            (r#"source = "metadata""#, "Metadata"),
        ] {
            let expected = format!(
                "Settings {{ credentials: {text}, tenant: None, projects: None, capacity: true, \
                 endpoints: Endpoints {{ {addresses} }} }}"
            );
            assert_eq!(settings(credentials, "").format_2_identity(), expected);
        }
    }
}
