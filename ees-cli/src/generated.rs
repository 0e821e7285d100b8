//! What is generated from the command line: completions for shells, and man pages.

use std::fs;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::Failure;
use crate::args::Cli;

/// Prints the completions for a shell.
pub fn completions(shell: Shell) {
    clap_complete::generate(shell, &mut Cli::command(), "ees", &mut std::io::stdout());
}

/// Writes a man page for each command into a folder.
///
/// # Errors
/// [`Failure::Run`] if a file cannot be written.
pub fn man_pages(folder: &Path) -> Result<(), Failure> {
    let written = fs::create_dir_all(folder).and_then(|()| {
        clap_mangen::generate_to(Cli::command().disable_help_subcommand(true), folder)
    });
    written.map_err(|error| Failure::Run(format!("cannot write to {}: {error}", folder.display())))
}
