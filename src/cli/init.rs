//! `init`: writes a first configuration, from flags or from a few questions.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::config::{self, AwsAccount, AzureAccount, Draft, GcpAccount, NebiusAccount};
use crate::model::printable;

use super::output::{Error, print};

/// Where the configuration is looked for first.
const USUAL_PLACE: &str = "config/quota-oracle.toml";

/// The file of a token that is made here, beside the configuration.
const TOKEN_FILE: &str = "secrets/clients";

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The file to write, or `-` for standard output
    #[arg(default_value = USUAL_PLACE)]
    file: PathBuf,
    /// An AWS account, repeatable: a name, and its credentials unless the AWS SDK finds them:
    /// NAME=profile:PROFILE, NAME=role:ARN or NAME=key:ACCESS_KEY_ID
    #[arg(long, value_name = "NAME[=CREDENTIALS]", value_parser = AwsAccount::parse)]
    aws: Vec<AwsAccount>,
    /// A region of the AWS accounts, repeatable; without any, those that every account has
    #[arg(long, value_name = "REGION")]
    aws_region: Vec<String>,
    /// A Nebius tenant, repeatable: a name, and the SDK's credentials file unless it is
    /// secrets/NAME.json; or NAME=token:FILE or NAME=metadata
    #[arg(long, value_name = "NAME[=CREDENTIALS]", value_parser = NebiusAccount::parse)]
    nebius: Vec<NebiusAccount>,
    /// A project of Google Cloud, repeatable: a name, and the service account's key file unless it
    /// is secrets/NAME.json; or NAME=user:FILE, as `gcloud auth application-default login` writes
    /// it, or NAME=metadata:PROJECT on a virtual machine
    #[arg(long, value_name = "NAME[=CREDENTIALS]", value_parser = GcpAccount::parse)]
    gcp: Vec<GcpAccount>,
    /// A subscription of Azure, repeatable: a name and the subscription's identity, with the
    /// tenant's and the application's unless the environment or the machine has credentials
    #[arg(
        long,
        value_name = "NAME=SUBSCRIPTION[:TENANT:CLIENT_ID]",
        value_parser = AzureAccount::parse
    )]
    azure: Vec<AzureAccount>,
    /// The address to listen on; for another than loopback a token is made
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

pub(super) fn run(arguments: Arguments) -> Result<(), Error> {
    let to_output = arguments.file.as_os_str() == "-";
    // Before the questions: nobody should answer them in vain.
    if !to_output && arguments.file.exists() {
        return Err(exists(&arguments.file));
    }
    let mut draft = Draft {
        aws: arguments.aws,
        aws_regions: arguments.aws_region,
        nebius: arguments.nebius,
        gcp: arguments.gcp,
        azure: arguments.azure,
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
        token_file: None,
    };
    let asks = names(&draft).is_empty();
    if asks && !io::stdin().is_terminal() {
        return Err(Error::usage(
            "no account is named; write `--aws NAME`, `--nebius NAME`, `--gcp NAME` or \
             `--azure NAME=SUBSCRIPTION`, or answer on a terminal",
        ));
    }
    if asks {
        ask(&mut draft)?;
    }
    draft.listen = match (arguments.listen, asks) {
        (Some(listen), _) => listen,
        (None, true) => question("Address to listen on", "127.0.0.1:8080", |text| {
            let wrong = |_| format!("`{text}` is not an address such as 127.0.0.1:8080");
            text.parse().map_err(wrong)
        })?,
        (None, false) => draft.listen,
    };
    if !draft.listen.ip().is_loopback() {
        draft.token_file = Some(TOKEN_FILE.to_owned());
    }
    check_names(&draft)?;
    match to_output {
        true => print(&draft.text()),
        false => write(&draft, &arguments.file),
    }
}

fn exists(file: &Path) -> Error {
    let file = file.display();
    Error::Failed(format!(
        "{file} exists and is not overwritten; name another file, such as `quota-oracle init \
         new.toml`"
    ))
}

/// Asks for the accounts.
fn ask(draft: &mut Draft) -> Result<(), Error> {
    draft.aws = accounts(
        "AWS",
        "aws",
        "default, profile:PROFILE, role:ARN or key:ACCESS_KEY_ID",
        "default",
        AwsAccount::parse,
    )?;
    if !draft.aws.is_empty() && draft.aws_regions.is_empty() {
        let text = question("Regions of AWS, or default", "default", |text| {
            Ok(text.to_owned())
        })?;
        let regions = words(&text).filter(|word| *word != "default");
        draft.aws_regions = regions.map(str::to_owned).collect();
    }
    draft.nebius = accounts(
        "Nebius",
        "none",
        "the SDK's credentials file, token:FILE or metadata",
        "nebius.json",
        NebiusAccount::parse,
    )?;
    draft.gcp = accounts(
        "Google Cloud",
        "none",
        "the service account's key file, user:FILE or metadata:PROJECT",
        "gcp.json",
        GcpAccount::parse,
    )?;
    draft.azure = accounts(
        "Azure",
        "none",
        "SUBSCRIPTION, or SUBSCRIPTION:TENANT:CLIENT_ID for an application with a secret",
        "",
        AzureAccount::parse,
    )?;
    match names(draft).is_empty() {
        true => Err(Error::usage("no account was named, so nothing is written")),
        false => Ok(()),
    }
}

/// Asks for the accounts of a cloud and the credentials of each.
fn accounts<T>(
    cloud: &str,
    usual_names: &str,
    kinds: &str,
    usual: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, Error> {
    let ask = format!("Names for your {cloud} accounts, or none");
    let names = question(&ask, usual_names, |text| {
        let names: Vec<String> = words(text)
            .filter(|word| *word != "none")
            .map(str::to_owned)
            .collect();
        // Names are alike for all clouds.
        names
            .iter()
            .try_for_each(|name| AwsAccount::parse(name).map(|_| ()))?;
        Ok(names)
    })?;
    let credentials = names.iter().map(|name| {
        let ask = format!("Credentials of {name}: {kinds}");
        question(&ask, usual, |text| parse(&format!("{name}={text}")))
    });
    credentials.collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', ',']).filter(|word| !word.is_empty())
}

/// Asks until the answer makes sense; an empty one is the usual one.
fn question<T>(
    ask: &str,
    usual: &str,
    understand: impl Fn(&str) -> Result<T, String>,
) -> Result<T, Error> {
    loop {
        // Standard output may be the configuration.
        let suggestion = match usual {
            "" => String::new(),
            usual => format!(" [{usual}]"),
        };
        let _ = write!(io::stderr(), "{ask}{suggestion}: ");
        let mut line = String::new();
        if io::stdin().read_line(&mut line).map_err(Error::failed)? == 0 {
            return Err(Error::usage(
                "the questions were not answered, so nothing is written",
            ));
        }
        let text = match line.trim() {
            "" => usual,
            text => text,
        };
        match understand(text) {
            Ok(answer) => return Ok(answer),
            Err(why) => {
                let _ = writeln!(io::stderr(), "{}", printable(&why));
            }
        }
    }
}

/// The names of all accounts.
fn names(draft: &Draft) -> Vec<&String> {
    let aws = draft.aws.iter().map(|it| &it.name);
    let nebius = draft.nebius.iter().map(|it| &it.name);
    let gcp = draft.gcp.iter().map(|it| &it.name);
    let azure = draft.azure.iter().map(|it| &it.name);
    aws.chain(nebius).chain(gcp).chain(azure).collect()
}

fn check_names(draft: &Draft) -> Result<(), Error> {
    let names = names(draft);
    let twin = names
        .iter()
        .enumerate()
        .find(|(place, name)| names[..*place].contains(name));
    match twin {
        Some((_, name)) => Err(Error::Usage(format!(
            "two accounts are named `{name}`; give each a name of its own"
        ))),
        None => Ok(()),
    }
}

/// Writes the configuration and what it needs, and says what is left to do.
fn write(draft: &Draft, file: &Path) -> Result<(), Error> {
    let cannot =
        |error: io::Error| Error::Failed(format!("cannot write {}: {error}", file.display()));
    let folder = file.parent().unwrap_or(Path::new(""));
    if !folder.as_os_str().is_empty() {
        fs::create_dir_all(folder).map_err(cannot)?;
    }
    let mut written = File::create_new(file).map_err(|error| match error.kind() {
        // Somebody else has written it since.
        ErrorKind::AlreadyExists => exists(file),
        _ => cannot(error),
    })?;
    written.write_all(draft.text().as_bytes()).map_err(cannot)?;
    let mut text = format!("{} is written.\n", file.display());
    if let Some(name) = &draft.token_file {
        let token = folder.join(name);
        write_token(&token)?;
        text.push_str(&format!("Callers need the token in {}.\n", token.display()));
    }
    // With the secrets that are still missing, which it names.
    if let Err(error) = config::load(Some(file), config::environment()) {
        text.push_str("\nBefore it can be used:\n");
        for mistake in error.explained() {
            text.push_str(&format!("  {}\n", printable(&mistake)));
        }
    }
    let config = match file == Path::new(USUAL_PLACE) {
        true => String::new(),
        false => format!(" --config {}", file.display()),
    };
    text.push_str(&format!(
        "\nThen try each account, and start the service:\n  \
         quota-oracle check{config}\n  \
         quota-oracle serve{config}\n"
    ));
    print(&text)
}

/// Makes a token, unless there is one.
fn write_token(file: &Path) -> Result<(), Error> {
    let cannot =
        |error: io::Error| Error::Failed(format!("cannot write {}: {error}", file.display()));
    if let Some(folder) = file.parent() {
        let mut builder = fs::DirBuilder::new();
        builder
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(cannot)?;
    }
    let mut options = OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(file) {
        Ok(mut written) => {
            let token = hex::encode(rand::random::<[u8; 32]>());
            writeln!(written, "{token}").map_err(cannot)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(cannot(error)),
    }
}
