//! Translates the errors of PostgreSQL into the errors of the storage port.

use std::sync::Arc;

use ees_core::{StorageError, Written};
use sqlx::postgres::{PgDatabaseError, PgSeverity};

/// The database could not be opened as a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// No server answers at the host and port.
    #[error(
        "`{target}` cannot be reached: {}. Check the host, the port and `sslmode`, \
         and that PostgreSQL runs",
        said(source)
    )]
    Unreachable {
        /// The database.
        target: String,
        /// What the driver said.
        r#source: sqlx::Error,
    },
    /// The server rejects the user, the password or the database.
    #[error(
        "`{target}` refuses the connection: {said}. Check the user, the password (in the \
         URL, PGPASSWORD or .pgpass) and the server's pg_hba.conf. If the database is missing, \
         create it with `createdb DATABASE`"
    )]
    Refused {
        /// The database.
        target: String,
        /// What PostgreSQL said.
        said: String,
    },
    /// The user lacks rights that the store needs.
    #[error(
        "`{target}`: {said}. The store needs a schema that its user owns. As a superuser, run \
         `CREATE SCHEMA {schema} AUTHORIZATION \"{user}\"`"
    )]
    NoRights {
        /// The database.
        target: String,
        /// The schema.
        schema: String,
        /// The user.
        user: String,
        /// What PostgreSQL said.
        said: String,
    },
    /// The server or the database is not suitable for a store.
    #[error("`{target}` cannot hold a store: {found}, but {expected}")]
    Unfit {
        /// The database.
        target: String,
        /// What was found.
        found: String,
        /// What is needed, and how to correct it.
        expected: &'static str,
    },
    /// The schema belongs to another program.
    #[error(
        "schema `{schema}` of `{target}` is not an event store: {found}. It was not changed; \
         choose another schema with `?schema=NAME`"
    )]
    NotOurs {
        /// The database.
        target: String,
        /// The schema.
        schema: String,
        /// What was found.
        found: &'static str,
    },
    /// The schema was written by a newer version.
    #[error(
        "schema `{schema}` of `{target}` has version {found}, but this program knows versions up to \
         {known}: a newer version of the program wrote it. Use that version, or another schema"
    )]
    Newer {
        /// The database.
        target: String,
        /// The schema.
        schema: String,
        /// The version of the schema.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// Another error of PostgreSQL.
    #[error("`{target}` cannot be opened: {}", said(source))]
    Postgres {
        /// The database.
        target: String,
        /// What the driver said.
        r#source: sqlx::Error,
    },
}

/// Translates every error of the driver except those of COMMIT.
pub(crate) fn translate(error: sqlx::Error) -> StorageError {
    let code = code(&error);
    let code = code.as_deref().unwrap_or_default();
    // https://www.postgresql.org/docs/current/errcodes-appendix.html
    let reason = match (&error, code.get(..2).unwrap_or_default(), code) {
        (sqlx::Error::PoolClosed, ..) => return StorageError::closed(),
        (sqlx::Error::PoolTimedOut, ..) => {
            "all `readers` were busy: the database does not answer, or there are too few of them \
             for the number of concurrent reads"
        }
        (_, _, "53100") => "the database's disk is full",
        (_, _, "53300") => "the database has too many connections",
        (_, _, "55P03") => "another server has held the store's lock for too long",
        (_, _, "57014") => "the database took too long for a statement",
        // 0A000 is the answer of a standby to `BEGIN ... READ WRITE`.
        (_, _, "0A000" | "25006") => "the database does not accept writes now; it may be a standby",
        (_, "53", _) => "the database has run out of a resource",
        (_, "40", _) => "the database could not serialize concurrent transactions",
        (_, _, "42501" | "42P01" | "3F000") => {
            "the store's schema or tables are missing, or its user has no rights to them"
        }
        (_, "28" | "3D", _) => "the database refuses the connection",
        (_, "58", _) => "the database cannot read or write its files",
        (_, "23", _) | (_, _, "XX001" | "XX002") => {
            return StorageError::Corrupt(said(&error));
        }
        _ if is_connection_lost(&error) => "there is no connection to the database",
        _ => return StorageError::Backend(Arc::new(error)),
    };
    StorageError::Unavailable {
        reason: format!("{reason}: {}", said(&error)),
        written: Written::None,
        retry_after: StorageError::RETRY_AFTER,
        source: Some(Arc::new(error)),
    }
}

/// The message of an error, without the line of PostgreSQL's source code that reported it.
pub(crate) fn said(error: &sqlx::Error) -> String {
    match error.as_database_error() {
        Some(error) => error.message().to_owned(),
        None => error.to_string(),
    }
}

/// The server ended a session that was idle in its transaction for too long. It had not received
/// COMMIT.
const ENDED_IDLE: &str = "25P03";

/// Translates an error of COMMIT. An error of severity ERROR, or [`ENDED_IDLE`], means that nothing
/// was committed. After any other error the outcome is unknown.
pub(crate) fn translate_commit(error: sqlx::Error) -> StorageError {
    let refused = matches!(severity(&error), Some(PgSeverity::Error));
    let certain = refused || code(&error).as_deref() == Some(ENDED_IDLE);
    let translated = translate(error);
    if certain {
        translated
    } else {
        translated.after_a_try(Written::Unknown)
    }
}

/// Whether the connection can no longer be used.
pub(crate) fn is_connection_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        _ => matches!(severity(error), Some(PgSeverity::Fatal | PgSeverity::Panic)),
    }
}

/// The five characters of `SQLSTATE`.
pub(crate) fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

fn severity(error: &sqlx::Error) -> Option<PgSeverity> {
    let error = error.as_database_error()?;
    Some(error.try_downcast_ref::<PgDatabaseError>()?.severity())
}
