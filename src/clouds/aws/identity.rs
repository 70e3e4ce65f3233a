//! The settings that identify the account, by which stored snapshots are recognized.

use super::settings::{Credentials, Settings};

/// The variables by which the SDK's chain finds credentials that the settings do not name.
const CHAIN: &[&str] = &["AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_ROLE_ARN"];

/// The same, and where the shared files are: one name may stand for two accounts in two files.
const CHAIN_AND_FILES: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
];

const FILES: &[&str] = &["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"];

impl Settings {
    /// Returns the source of the credentials with what it names, and where AWS is called.
    pub(super) fn identity(&self) -> Vec<(&'static str, String)> {
        let mut fields = match &self.credentials {
            Credentials::Default => vec![("source", "default".to_owned())],
            Credentials::Static(keys) => {
                let file = keys.access_key_id_file.as_ref();
                vec![
                    ("source", "static".to_owned()),
                    ("access_key_id", keys.access_key_id.clone()),
                    (
                        "access_key_id_file",
                        file.map(|file| file.display().to_string())
                            .unwrap_or_default(),
                    ),
                ]
            }
            Credentials::Profile { profile } => vec![
                ("source", "profile".to_owned()),
                ("profile", profile.clone()),
            ],
            // The role is in one account, whoever assumes it.
            Credentials::AssumeRole { role_arn, .. } => vec![
                ("source", "assume_role".to_owned()),
                ("role_arn", role_arn.clone()),
            ],
        };
        for (name, url) in [
            ("endpoint_url", &self.endpoint_url),
            ("sts_endpoint_url", &self.sts_endpoint_url),
        ] {
            fields.extend(url.as_ref().map(|url| (name, url.as_str().to_owned())));
        }
        fields
    }

    /// Returns the variables that decide together with the settings which account is meant.
    pub(super) fn identity_variables(&self) -> &'static [&'static str] {
        match &self.credentials {
            Credentials::Default => CHAIN_AND_FILES,
            Credentials::Profile { .. } => FILES,
            // A role is assumed by whoever the environment says, and is the same whoever does.
            Credentials::Static(_) | Credentials::AssumeRole { .. } => &[],
        }
    }

    /// Returns the text of all settings, and the variables, that format 2 of stored snapshots
    /// identifies the account by: those of that release, whatever is added to the settings.
    pub(super) fn format_2_identity(&self) -> (String, &'static [&'static str]) {
        let Self {
            credentials,
            endpoint_url,
            sts_endpoint_url,
            usage,
            quotas,
            quota_overrides,
            ..
        } = self;
        let text = format!(
            "Settings {{ credentials: {credentials:?}, endpoint_url: {endpoint_url:?}, \
             sts_endpoint_url: {sts_endpoint_url:?}, usage: {usage:?}, quotas: {quotas:?}, \
             quota_overrides: {quota_overrides:?} }}"
        );
        let variables = match credentials {
            Credentials::Default => CHAIN,
            _ => &[],
        };
        (text, variables)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Settings {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn the_environment_identifies_the_account_only_where_the_keys_do_not() {
        let variables = |credentials: &str| {
            let text = format!("credentials = {{ source = {credentials} }}");
            settings(&text).identity_variables()
        };
        assert!(variables("\"default\"").contains(&"AWS_PROFILE"));
        assert_eq!(variables("\"profile\", profile = \"gpu\""), FILES);
        for credentials in [
            "\"static\", access_key_id = \"AKIA\"",
            "\"assume_role\", role_arn = \"arn\"",
        ] {
            assert!(variables(credentials).is_empty(), "{credentials}");
        }
    }

    #[test]
    fn only_settings_that_choose_the_account_identify_it() {
        let key = r#"source = "static", access_key_id = "AKIAIOSFODNN7EXAMPLE""#;
        let identity = |credentials: &str, rest: &str| {
            settings(&format!("credentials = {{ {credentials} }}\n{rest}")).identity()
        };
        let first = identity(key, "");
        let same = [
            identity(&format!("{key}, secret_access_key_file = \"a\""), ""),
            identity(key, "usage = \"off\"\nquotas = \"all\""),
            identity(key, "quota_overrides = { p6 = \"L-C4BD4855\" }"),
        ];
        assert!(same.iter().all(|each| *each == first), "{same:?}");
        let others = [
            identity(&key.replace("EXAMPLE", "ANOTHER"), ""),
            identity(key, "endpoint_url = \"http://127.0.0.1:1\""),
            identity(r#"source = "profile", profile = "gpu""#, ""),
            identity(r#"source = "profile", profile = "cpu""#, ""),
            identity(r#"source = "assume_role", role_arn = "arn""#, ""),
            identity(r#"source = "default""#, ""),
        ];
        for (place, other) in others.iter().enumerate() {
            assert_ne!(*other, first);
            assert!(!others[..place].contains(other), "{other:?}");
        }
    }

    /// The texts were printed by the last release that wrote format 2. Should one no longer be
    /// reproduced, snapshots of that release are discarded at the first start.
    #[test]
    fn format_2_is_recognized_by_the_text_of_its_release() {
        for (toml, text) in [
            (
                "",
                "Settings { credentials: Default, endpoint_url: None, sts_endpoint_url: None, \
                 usage: Report, quotas: Listed([]), quota_overrides: QuotaOverrides({}) }",
            ),
            (
                r#"credentials = { source = "static", access_key_id = "AKIAIOSFODNN7EXAMPLE", secret_access_key_file = "secret" }
                   endpoint_url = "http://127.0.0.1:1"
                   sts_endpoint_url = "http://127.0.0.1:2"
                   usage = "off"
                   quotas = ["ebs/L-7A658B76", "vpc/all"]
                   quota_overrides = { "p6-b200@spot" = "L-C4BD4855" }"#,
                "Settings { credentials: Static(StaticKeys { access_key_id: \
                 \"AKIAIOSFODNN7EXAMPLE\", access_key_id_file: None, secret_access_key_file: \
                 Some(\"secret\"), secret_access_key: None, session_token_file: None, \
                 session_token: None }), endpoint_url: Some(EndpointUrl(\"http://127.0.0.1:1\")), \
                 sts_endpoint_url: Some(EndpointUrl(\"http://127.0.0.1:2\")), usage: Off, quotas: \
                 Listed([ServiceAndCode { service: \"ebs\", code: Some(\"L-7A658B76\") }, \
                 ServiceAndCode { service: \"vpc\", code: None }]), quota_overrides: \
                 QuotaOverrides({Launches { type_or_family: \"p6-b200\", market: Spot }: QuotaKey \
                 { service: \"ec2\", code: \"L-C4BD4855\" }}) }",
            ),
            (
                r#"credentials = { source = "profile", profile = "gpu" }
                   quotas = "all""#,
                "Settings { credentials: Profile { profile: \"gpu\" }, endpoint_url: None, \
                 sts_endpoint_url: None, usage: Report, quotas: All, quota_overrides: \
                 QuotaOverrides({}) }",
            ),
            (
                r#"credentials = { source = "assume_role", role_arn = "arn:aws:iam::123456789012:role/quotas", external_id = "x" }"#,
                "Settings { credentials: AssumeRole { role_arn: \
                 \"arn:aws:iam::123456789012:role/quotas\", external_id: Some(\"x\"), \
                 session_name: \"quota-oracle\" }, endpoint_url: None, sts_endpoint_url: None, \
                 usage: Report, quotas: Listed([]), quota_overrides: QuotaOverrides({}) }",
            ),
        ] {
            assert_eq!(settings(toml).format_2_identity().0, text);
        }
    }
}
