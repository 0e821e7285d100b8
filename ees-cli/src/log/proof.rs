//! Verifies a proof without any store.

use std::fs;
use std::path::Path;

use ees_evidence::{Proof, check_verifier_key, leaf_of};

use crate::Failure;
use crate::args::LogVerifyProof;
use crate::told;

/// Verifies a proof; what it proves, for people.
///
/// # Errors
/// [`Failure::Usage`] if the key or a file is not one, [`Failure::Run`] if the proof proves nothing.
pub(super) fn verify(args: &LogVerifyProof) -> Result<String, Failure> {
    let key = args.log_public_key.trim();
    check_verifier_key(key)
        .map_err(|error| Failure::Usage(format!("`--log-public-key`: {error}")))?;
    let unread = |path: &Path, why: String| Failure::Usage(format!("{}: {why}", path.display()));
    let read =
        |path: &Path| fs::read_to_string(path).map_err(|error| unread(path, error.to_string()));
    let proof = Proof::parse(&read(&args.proof)?);
    let proof = proof.map_err(|error| unread(&args.proof, error.to_string()))?;
    let changeset = told::find(&read(&args.changeset)?, proof.index());
    let changeset = changeset.map_err(|why| unread(&args.changeset, why))?;
    let head = proof.verify(leaf_of(&changeset), key);
    let head = head.map_err(|error| Failure::Run(format!("{}: {error}", args.proof.display())))?;
    Ok(format!(
        "changeset {} of stream `{}` is at position {} of the log {}, signed at size {}",
        changeset.changeset_id,
        changeset.stream_id,
        proof.index(),
        head.origin,
        head.size
    ))
}
