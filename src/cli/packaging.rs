//! `completions` and `man`: what a package ships beside the program.

use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::{Shell, generate};
use clap_mangen::{Man, generate_to};

use super::output::{Error, print};

#[derive(Args, Debug)]
pub(super) struct CompletionsArguments {
    /// The shell.
    shell: Shell,
}

#[derive(Args, Debug)]
pub(super) struct ManArguments {
    /// The command whose page is printed; without it the program's own.
    command: Option<String>,
    /// Write the pages of all commands into this directory instead, which is made where it is
    /// missing.
    #[arg(long, value_name = "DIRECTORY", conflicts_with = "command")]
    directory: Option<PathBuf>,
}

/// Prints the completions of `program` for a shell.
pub(super) fn completions(
    arguments: &CompletionsArguments,
    program: &mut Command,
) -> Result<(), Error> {
    let name = program.get_name().to_owned();
    let mut script = Vec::new();
    generate(arguments.shell, program, &*name, &mut script);
    // For a program with a hyphen in its name bash's script looks for labels that it does not have
    // (clap_complete 4.6, clap's issue 6421).
    let [wanted, written] = ["__", "__subcmd__"].map(|hyphen| name.replace('-', hyphen));
    print(&String::from_utf8_lossy(&script).replace(&written, &wanted))
}

/// Prints a man page of `program`, or writes all of them.
pub(super) fn man(arguments: &ManArguments, program: Command) -> Result<(), Error> {
    let mut program = program.disable_help_subcommand(true);
    if let Some(directory) = &arguments.directory {
        let written = std::fs::create_dir_all(directory);
        let written = written.and_then(|()| generate_to(program, directory));
        return written.map_err(|error| {
            let directory = directory.display();
            Error::Failed(format!("cannot write man pages into {directory}: {error}"))
        });
    }
    // Gives the commands the names that their pages have.
    program.build();
    let wanted = match &arguments.command {
        None => &program,
        Some(name) => program.find_subcommand(name).ok_or_else(|| {
            let commands = program.get_subcommands().filter(|it| !it.is_hide_set());
            let known: Vec<_> = commands.map(Command::get_name).collect();
            let known = known.join(", ");
            Error::Usage(format!("there is no command `{name}` (known: {known})"))
        })?,
    };
    let name = match &arguments.command {
        None => wanted.get_name().to_owned(),
        Some(_) => wanted.get_display_name().unwrap_or_default().to_owned(),
    };
    let mut page = Vec::new();
    let man = Man::new(wanted.clone()).title(name);
    man.render(&mut page).map_err(Error::failed)?;
    print(&String::from_utf8_lossy(&page))
}
