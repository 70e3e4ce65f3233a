//! The `quota-oracle` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    quota_oracle::cli::run(std::env::args_os())
}
