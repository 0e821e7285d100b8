//! Keys: `ees keys`, and who may call a server that has them.

mod edit;
mod file;
mod ring;
mod secret;

use crate::Failure;
use crate::args::{KeysAct, KeysArgs};

pub(crate) use file::{parse_right, parse_time};
pub(crate) use ring::KeyRing;

/// Runs `ees keys`.
///
/// # Errors
/// [`Failure`] if the file is not as it has to be, or cannot be written.
pub fn run(args: &KeysArgs) -> Result<(), Failure> {
    match &args.act {
        KeysAct::Add(new) => {
            let secret = edit::add(new)?;
            println!("{secret}");
            let file = new.file.display();
            eprintln!(
                "The key `{}` is in {file}, which holds only its hash: nothing shows the secret \
                 above again. Clients send it as `Authorization: Bearer SECRET`.",
                new.name
            );
        }
        KeysAct::List(list) => {
            for key in edit::read(&list.file)? {
                println!("{key}");
            }
        }
        KeysAct::Revoke(revoke) => {
            edit::revoke(&revoke.file, &revoke.name)?;
            eprintln!("The key `{}` is revoked.", revoke.name);
        }
    }
    Ok(())
}
