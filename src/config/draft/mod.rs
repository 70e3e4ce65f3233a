//! A first configuration, written for people to go on with.

mod account;

use std::fmt::Write;
use std::net::SocketAddr;

use toml::Value;

pub use account::{AwsAccount, AzureAccount, GcpAccount, NebiusAccount};

/// What a first configuration says.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The AWS accounts.
    pub aws: Vec<AwsAccount>,
    /// The regions of all of them; those that every account has where there are none.
    pub aws_regions: Vec<String>,
    /// The Nebius tenants.
    pub nebius: Vec<NebiusAccount>,
    /// The projects of Google Cloud.
    pub gcp: Vec<GcpAccount>,
    /// The subscriptions of Azure.
    pub azure: Vec<AzureAccount>,
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The file of the token that callers need.
    pub token_file: Option<String>,
}

/// The name of the token in a first configuration.
const BEARER: &str = "clients";

impl Draft {
    /// Returns the configuration, as it is to stand in a file.
    pub fn text(&self) -> String {
        let mut text = String::from(
            "# The configuration of quota-oracle. docs/configuration.md describes it, and \
             config/quota-oracle.example.toml\n\
             # has every key with its default. An environment variable overrides a key:\n\
             #   QUOTA_ORACLE__SERVER__LISTEN=127.0.0.1:9090\n\
             # Relative paths start from this file's folder.\n\
             \n\
             [server]\n\
             # Any other address than loopback needs a token.\n",
        );
        setting(&mut text, "listen", &self.listen.to_string());
        self.token(&mut text);
        text.push_str(
            "\n[cache]\n\
             # With a folder for snapshots a restart answers at once.\n\
             #directory = \"/var/lib/quota-oracle\"\n",
        );
        for account in &self.aws {
            self.aws_backend(&mut text, account);
        }
        for account in &self.nebius {
            nebius_backend(&mut text, account);
        }
        for account in &self.gcp {
            gcp_backend(&mut text, account);
        }
        for account in &self.azure {
            azure_backend(&mut text, account);
        }
        text
    }

    fn token(&self, text: &mut String) {
        let comment = match &self.token_file {
            Some(_) => "",
            None => "#",
        };
        let file = self.token_file.as_deref().unwrap_or("secrets/clients");
        let _ = write!(
            text,
            "\n# A token lets its bearer in. read: ask for what is known. verify: spend calls to \
             the cloud, take\n\
             # leases, report launches. admin: everything.\n\
             {comment}[[server.tokens]]\n\
             {comment}name = \"{BEARER}\"\n\
             {comment}token_file = {}\n\
             {comment}scopes = [\"read\", \"verify\"]\n",
            quoted(file)
        );
    }

    fn aws_backend(&self, text: &mut String, account: &AwsAccount) {
        text.push_str("\n# An AWS account. docs/aws.md has the least IAM policy that it needs.\n");
        backend(text, "aws", &account.name);
        text.push_str(
            "# \"default\": the regions that every account has. \"all\": all of the partition. Or a \
             list.\n",
        );
        match self.aws_regions.as_slice() {
            [] => setting(text, "regions", "default"),
            regions => {
                let regions = regions.iter().map(|it| Value::from(it.as_str()));
                let regions = Value::Array(regions.collect());
                let _ = writeln!(text, "regions = {regions}");
            }
        }
        let _ = writeln!(text, "credentials = {}", account.credentials());
        let why = match account.is_default() {
            true => {
                "# What the AWS SDK finds: environment, shared files, SSO, the machine's role.\n"
            }
            false => "",
        };
        text.push_str(why);
    }
}

fn nebius_backend(text: &mut String, account: &NebiusAccount) {
    text.push_str(
        "\n# A Nebius tenant. Its service account needs the role viewer on the tenant \
         (docs/nebius.md).\n",
    );
    backend(text, "nebius", &account.name);
    let _ = writeln!(text, "credentials = {}", account.credentials());
}

fn gcp_backend(text: &mut String, account: &GcpAccount) {
    text.push_str(
        "\n# A project of Google Cloud. docs/gcp.md has the commands that make a service account \
         with the\n# roles that it needs.\n",
    );
    backend(text, "gcp", &account.name);
    if let Some(project) = account.project() {
        setting(text, "project", project);
    }
    let _ = writeln!(text, "credentials = {}", account.credentials());
}

fn azure_backend(text: &mut String, account: &AzureAccount) {
    text.push_str(
        "\n# A subscription of Azure. docs/azure.md has the commands that make an application with \
         the least role.\n",
    );
    backend(text, "azure", &account.name);
    setting(text, "subscription", account.subscription());
    if let Some(tenant) = account.tenant() {
        setting(text, "tenant", tenant);
    }
    let _ = writeln!(text, "credentials = {}", account.credentials());
}

fn backend(text: &mut String, kind: &str, name: &str) {
    text.push_str("[[backends]]\n");
    setting(text, "kind", kind);
    text.push_str("# The <backend> of every address.\n");
    setting(text, "name", name);
}

fn setting(text: &mut String, key: &str, value: &str) {
    let _ = writeln!(text, "{key} = {}", quoted(value));
}

/// A text as TOML has it.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
