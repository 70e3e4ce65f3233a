//! The command line: one binary, a subcommand for each thing that it does.

mod ask;
mod check;
mod config_file;
#[cfg(feature = "demo")]
mod demo;
mod explain;
mod init;
mod output;
mod packaging;
mod screen;
#[cfg(feature = "demo")]
mod secret_file;
mod serve;
mod signals;
#[cfg(feature = "demo")]
mod simulate;

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::{io, process};

use clap::{CommandFactory, Parser, Subcommand};
use tokio::runtime::Runtime;

use crate::model::printable;
use crate::telemetry::{LogFormat, init_logs, last_words};
use crate::{clouds, config, http};

use output::{Error, print};
use signals::Signals;

/// Answers which GPU-cloud offers can really start: cloud quotas, from memory, over HTTP.
#[derive(Debug, Parser)]
#[command(name = "quota-oracle", version, max_term_width = 100)]
struct Arguments {
    /// The configuration file of `serve` and `check`, which take it after their name, too.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service.
    Serve(serve::Arguments),
    /// Run the service against simulated clouds: no credentials, no other software.
    #[cfg(feature = "demo")]
    Demo(demo::Arguments),
    /// Ask a running service how it and its backends are doing.
    Status(ask::status::Arguments),
    /// Ask a running service for the quotas of a region.
    Quotas(ask::quotas::Arguments),
    /// Ask a running service what can be launched, and which quota stands in the way.
    Offers(Box<ask::offers::Arguments>),
    /// Ask a running service where a number of GPUs fits.
    Plan(Box<ask::plan::Arguments>),
    /// Ask a running service for offers again and again, and show what changes.
    Watch(Box<ask::watch::Arguments>),
    /// Ask a running service to verify a launch now, and to hold room for it.
    Verify(Box<ask::verify::Arguments>),
    /// Ask a running service for the leases that live.
    Leases(ask::leases::Arguments),
    /// Ask a running service to read a backend or a region now.
    Refresh(ask::refresh::Arguments),
    /// Tell what the error of a failed launch means, without a service.
    Explain(Box<explain::Arguments>),
    /// Try each backend's credentials and permissions, and say what to fix.
    Check(check::Arguments),
    /// Write a first configuration, from flags or a few questions.
    Init(init::Arguments),
    /// Print the OpenAPI document.
    Openapi,
    /// Print the completions of a shell.
    Completions(packaging::CompletionsArguments),
    /// Print a man page, or write all of them into a directory.
    Man(packaging::ManArguments),
    /// Exit with 0 if the service is ready.
    Healthcheck(ask::Service),
    /// Run the simulated clouds alone, for tests in other languages.
    #[cfg(feature = "demo")]
    #[command(hide = true)]
    Simulate(simulate::Arguments),
}

impl Command {
    /// The default log level: a command that ends by itself prints what
    /// it found, and needs no log beside it.
    fn log_level(&self) -> &'static str {
        match self {
            Self::Serve(_) => "info",
            #[cfg(feature = "demo")]
            Self::Demo(_) => "warn",
            #[cfg(feature = "demo")]
            Self::Simulate(_) => "info",
            // Which certificates count is part of what it finds.
            Self::Check(_) => "error,quota_oracle::clouds::kit::tls=warn",
            _ => "error",
        }
    }
}

/// Thresholds of glibc's allocator, as they are at first. It would raise the first to the size of the
/// largest buffer that was ever freed, and from then on keep what a crowd has used. An operator's
/// own are left as they are.
const THRESHOLDS: &[(&str, &str)] = if cfg!(target_env = "gnu") {
    &[
        ("MALLOC_MMAP_THRESHOLD_", "131072"),
        ("MALLOC_TRIM_THRESHOLD_", "1048576"),
    ]
} else {
    &[]
};

/// Begins again in an environment without the variables that lead AWS's clients elsewhere, and
/// without what env files add to values; returns only if there is none of both, or why that cannot
/// be done.
///
/// The SDK's own ways to credentials follow the environment, and cannot be told otherwise
/// (aws-config 1.13, `ProviderConfig::client_config`). In an environment shared with its own
/// clients the service would ask itself for a role.
///
/// The same way leads to the allocator, which reads its thresholds from nowhere else.
fn in_a_corrected_environment(arguments: &[OsString]) -> io::Result<()> {
    let mut corrections = config::corrections();
    if arguments.iter().any(|it| it == "serve" || it == "demo") {
        let unset = THRESHOLDS
            .iter()
            .filter(|(name, _)| std::env::var_os(name).is_none());
        corrections.extend(unset.map(|(name, value)| (name.into(), Some(value.into()))));
    }
    if corrections.is_empty() {
        return Ok(());
    }
    let mut itself = process::Command::new(std::env::current_exe()?);
    if let Some((name, arguments)) = arguments.split_first() {
        itself.arg0(name).args(arguments);
    }
    for (name, value) in corrections {
        match value {
            Some(value) => itself.env(name, value),
            None => itself.env_remove(name),
        };
    }
    Err(itself.exec())
}

/// Runs the program with these arguments.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Err(error) = in_a_corrected_environment(&arguments) {
        return failed(
            &[format!("cannot start in a corrected environment: {error}")],
            1,
        );
    }
    let (runtime, signals) = match started() {
        Ok(started) => started,
        Err(error) => {
            return failed(&[format!("cannot start: {error}")], 1);
        }
    };
    // clap prints its own help and errors, and exits with 2 on bad arguments.
    let arguments = Arguments::parse_from(arguments);
    init_logs(
        LogFormat::for_standard_error(),
        arguments.command.log_level(),
    );
    if let Some(file) = config::ca_bundle() {
        clouds::trust_ca_bundle(file);
    }
    let ended = runtime.block_on(command(arguments, signals));
    // What is left are look-ups of names and the like that nobody waits for any more.
    runtime.shutdown_background();
    match ended {
        Ok(code) => {
            last_words(None);
            code
        }
        Err(Error::Failed(sentence)) => failed(&[sentence], 1),
        Err(Error::Usage(sentence)) => failed(&[sentence], 2),
        Err(Error::Mistakes(sentences)) => failed(&sentences, 2),
    }
}

/// Says why, each sentence on a line of its own.
fn failed(sentences: &[String], code: u8) -> ExitCode {
    let sentences = sentences.iter().map(|sentence| printable(sentence));
    let lines: Vec<_> = sentences
        .map(|sentence| format!("quota-oracle: {sentence}"))
        .collect();
    last_words(Some(&lines.join("\n")));
    ExitCode::from(code)
}

/// The runtime, and the signals, which come before everything that takes time.
fn started() -> io::Result<(Runtime, Signals)> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let signals = {
        let _entered = runtime.enter();
        Signals::listen()?
    };
    Ok((runtime, signals))
}

async fn command(arguments: Arguments, signals: Signals) -> Result<ExitCode, Error> {
    let config = arguments.config;
    if config.is_some() && !matches!(arguments.command, Command::Serve(_) | Command::Check(_)) {
        let sentence = "only `serve` and `check` read a configuration; leave `--config` out";
        return Err(Error::usage(sentence));
    }
    match arguments.command {
        Command::Serve(arguments) => return serve::run(config, arguments, signals).await,
        #[cfg(feature = "demo")]
        Command::Demo(arguments) => demo::run(arguments, signals).await?,
        #[cfg(feature = "demo")]
        Command::Simulate(arguments) => simulate::run(arguments, signals).await?,
        Command::Status(arguments) => {
            return unless_ended(signals, ask::status::run(arguments)).await;
        }
        Command::Quotas(arguments) => {
            return unless_ended(signals, ask::quotas::run(arguments)).await;
        }
        Command::Offers(arguments) => {
            return unless_ended(signals, ask::offers::run(*arguments)).await;
        }
        Command::Plan(arguments) => {
            return unless_ended(signals, ask::plan::run(*arguments)).await;
        }
        Command::Watch(arguments) => {
            return unless_ended(signals, ask::watch::run(*arguments)).await;
        }
        Command::Verify(arguments) => {
            return unless_ended(signals, ask::verify::run(*arguments)).await;
        }
        Command::Leases(arguments) => {
            return unless_ended(signals, ask::leases::run(arguments)).await;
        }
        Command::Refresh(arguments) => {
            return unless_ended(signals, ask::refresh::run(arguments)).await;
        }
        Command::Check(arguments) => {
            return unless_ended(signals, check::run(config, arguments)).await;
        }
        Command::Healthcheck(service) => {
            return unless_ended(signals, ask::healthcheck(service)).await;
        }
        Command::Init(arguments) => {
            let written = tokio::task::spawn_blocking(move || init::run(arguments));
            let written = async { written.await.map_err(Error::failed)? };
            return unless_ended(signals, written).await;
        }
        Command::Explain(arguments) => explain::run(&arguments)?,
        Command::Openapi => {
            let document = http::openapi_document()
                .to_pretty_json()
                .map_err(Error::failed)?;
            print(&document)?;
        }
        Command::Completions(arguments) => {
            packaging::completions(&arguments, &mut Arguments::command())?;
        }
        Command::Man(arguments) => packaging::man(&arguments, Arguments::command())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs a command that ends by itself, unless a signal ends it first.
async fn unless_ended(
    mut signals: Signals,
    command: impl Future<Output = Result<(), Error>>,
) -> Result<ExitCode, Error> {
    tokio::select! {
        ended = command => ended.map(|()| ExitCode::SUCCESS),
        code = signals.any() => Ok(ExitCode::from(code)),
    }
}
