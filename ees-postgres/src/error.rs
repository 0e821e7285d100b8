//! What PostgreSQL says, in the words of the storage port.

use std::sync::Arc;

use ees_core::{StorageError, Written};
use sqlx::postgres::{PgDatabaseError, PgSeverity};

/// The database could not be opened as a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Nobody answers there.
    #[error(
        "`{target}` cannot be reached: {}. Check its host and port, that PostgreSQL runs, \
         and `sslmode`",
        said(source)
    )]
    Unreachable {
        /// The database.
        target: String,
        /// What the driver said.
        r#source: sqlx::Error,
    },
    /// The server does not let this user in.
    #[error(
        "`{target}` refuses the connection: {said}. Check user and password (the URL's, \
         PGPASSWORD, .pgpass) and the server's pg_hba.conf; a database is made with \
         `createdb DATABASE`"
    )]
    Refused {
        /// The database.
        target: String,
        /// What PostgreSQL said.
        said: String,
    },
    /// The user may not do what the store needs.
    #[error(
        "`{target}`: {said}. The store needs a schema that its user owns; as a superuser: \
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
    /// The server or the database is not such that a store can be in it.
    #[error("`{target}` cannot hold a store: {found}, but {expected}")]
    Unfit {
        /// The database.
        target: String,
        /// What was found.
        found: String,
        /// What is needed, and how to get it.
        expected: &'static str,
    },
    /// The schema holds something else.
    #[error(
        "schema `{schema}` of `{target}` is not an event store: {found}. It was left as it is; \
         choose another one with `?schema=NAME`"
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
        "schema `{schema}` of `{target}` has version {found}, this program knows versions up to \
         {known}: it was written by a newer version. Use that one, or a schema of its own"
    )]
    Newer {
        /// The database.
        target: String,
        /// The schema.
        schema: String,
        /// Its version.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// PostgreSQL failed in another way.
    #[error("`{target}` cannot be opened: {}", said(source))]
    Postgres {
        /// The database.
        target: String,
        /// What the driver said.
        r#source: sqlx::Error,
    },
}

/// The one place that translates the driver's errors.
pub(crate) fn translate(error: sqlx::Error) -> StorageError {
    let code = code(&error);
    let code = code.as_deref().unwrap_or_default();
    // https://www.postgresql.org/docs/current/errcodes-appendix.html
    let reason = match (&error, code.get(..2).unwrap_or_default(), code) {
        (sqlx::Error::PoolClosed, ..) => return StorageError::closed(),
        (sqlx::Error::PoolTimedOut, ..) => {
            "all `readers` were busy; the database does not answer, or there are too few of them \
             for so many reads at once"
        }
        (_, _, "53100") => "the database's disk is full",
        (_, _, "53300") => "the database has too many connections",
        (_, _, "55P03") => "another server holds the store's lock for too long",
        (_, _, "57014") => "the database takes too long",
        // The first is what `BEGIN ... READ WRITE` gets.
        (_, _, "0A000" | "25006") => "the database does not take this now, as a standby does not",
        (_, "53", _) => "the database has run out of something",
        (_, "40", _) => "the database could not order what was asked at once",
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

/// What is the matter, without the line of PostgreSQL's source where it was found.
pub(crate) fn said(error: &sqlx::Error) -> String {
    match error.as_database_error() {
        Some(error) => error.message().to_owned(),
        None => error.to_string(),
    }
}

/// A session that was idle in its transaction for too long was ended: before it was asked to commit.
const ENDED_IDLE: &str = "25P03";

/// What an error of COMMIT means. An error of severity ERROR is the answer that nothing was
/// committed; after anything else but [`ENDED_IDLE`] nobody knows.
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

/// Whether nothing more can be asked on the connection.
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
