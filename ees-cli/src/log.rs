//! `ees log`: the keys of the verifiable log, and its proofs.

mod key_file;
mod proof;
mod vkey;

use ees_evidence::LogKey;

use crate::Failure;
use crate::args::{LogAct, LogArgs, LogKeygen};

pub(crate) use key_file::read as read_log_key;

/// Runs `ees log`.
///
/// # Errors
/// [`Failure`] if a file is not as it has to be, the store cannot be reached, or a proof proves nothing.
pub async fn run(args: &LogArgs) -> Result<(), Failure> {
    match &args.act {
        LogAct::Keygen(new) => keygen(new),
        LogAct::Vkey(args) => {
            println!("{}", vkey::verifier_key(args).await?);
            Ok(())
        }
        LogAct::VerifyProof(args) => {
            println!("{}", proof::verify(args)?);
            Ok(())
        }
    }
}

fn keygen(new: &LogKeygen) -> Result<(), Failure> {
    let key = LogKey::generate(&new.origin)
        .map_err(|wrong| Failure::Usage(format!("`--origin {}`: {wrong}", new.origin)))?;
    key_file::write(&new.out, &key)?;
    let file = new.out.display();
    eprintln!(
        "The key is in {file}: who has it can sign as `{}`. `ees serve --log-key {file}` signs with it, \
         and `ees log vkey --log-key {file}` prints the key that verifies.",
        new.origin
    );
    Ok(())
}
