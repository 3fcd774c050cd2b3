//! Why a directory operation did not do what was asked.

use provisioning::Refusal;
use scim_core::ScimError;
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlErr};

/// One variant for each thing that a caller can act on.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// There is no such resource in this tenant.
    #[error("no such resource")]
    NotFound,
    /// `If-Match` names another version than the stored one.
    #[error("the resource has another version")]
    VersionMismatch,
    /// A rule of the RFCs is broken by the result.
    #[error("the request breaks a rule of SCIM")]
    Scim(#[from] ScimError),
    /// A rule of the product is broken by the result.
    #[error("the request is refused")]
    Refused(Box<Refusal>),
    /// The tenant may not be written to here and now: it is being moved, or this node's view of it is old.
    #[error("the tenant is not writable here at this moment")]
    Fenced,
    /// The key of a repeated request was another request's.
    #[error("the idempotency key was used for another request")]
    OnceReused,
    /// Others changed the same resource again and again while this change was tried.
    #[error("the resource is being changed by too many at once")]
    Contended,
    /// The statement took longer than a statement may.
    #[error("the query costs too much")]
    TooExpensive,
    /// More reads that no index serves are asked for than run at once.
    #[error("too many expensive queries at once")]
    Crowded,
    /// The store does not answer; nothing was changed.
    #[error("the directory store does not answer")]
    Unavailable(#[source] DbErr),
    /// The store failed in a way that it should not.
    #[error("the directory store failed")]
    Store(#[source] DbErr),
    /// The store belongs to another region.
    #[error("this store holds the data of region {0}")]
    WrongRegion(String),
    /// The store is another shard of its region.
    #[error("this store is shard {0} of its region")]
    WrongShard(String),
    /// The store could not be opened or brought up to date.
    #[error("the directory store could not be opened")]
    Open(#[from] migrations::OpenError),
}

impl From<Refusal> for DirectoryError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<DbErr> for DirectoryError {
    fn from(error: DbErr) -> Self {
        match kind(&error) {
            // A statement that was cancelled by its time limit mostly waited for someone else's lock. Only a list knows
            // that it was its own filter that took the time; see [`expensive`].
            Fault::Unavailable | Fault::Timeout => Self::Unavailable(error),
            Fault::Conflict => Self::Contended,
            Fault::Taken | Fault::Other => Self::Store(error),
        }
    }
}

/// The error of a list: one that ran out of time was asked for too much.
pub(crate) fn expensive(error: DbErr) -> DirectoryError {
    if kind(&error) == Fault::Timeout { DirectoryError::TooExpensive } else { error.into() }
}

/// What a database error means for the one who called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A unique index refused the row.
    Taken,
    /// Deadlock or serialization failure: the same again may succeed.
    Conflict,
    /// The statement was cancelled by its time limit.
    Timeout,
    /// The connection, the server, its disk: trying later may help.
    Unavailable,
    /// Anything else.
    Other,
}

/// Classifies by SQLSTATE and SQLite result code, never by the text, which names constraints differently everywhere.
pub(crate) fn kind(error: &DbErr) -> Fault {
    if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) {
        return Fault::Taken;
    }
    let runtime = match error {
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout | ConnAcquireErr::ConnectionClosed) => {
            return Fault::Unavailable;
        }
        // No connection was to be had, whatever the server said of it.
        DbErr::Conn(_) => return Fault::Unavailable,
        DbErr::Exec(runtime) | DbErr::Query(runtime) => runtime,
        _ => return Fault::Other,
    };
    let RuntimeErr::SqlxError(source) = runtime else { return Fault::Other };
    match source.as_ref() {
        sqlx::Error::Database(database) => of_code(database.code().as_deref().unwrap_or_default()),
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Fault::Unavailable,
        _ => Fault::Other,
    }
}

fn of_code(code: &str) -> Fault {
    match code {
        "57014" => Fault::Timeout,
        "40001" | "40P01" | "55P03" => Fault::Conflict,
        // Read-only after a failover.
        "25006" => Fault::Unavailable,
        // Connection exceptions, insufficient resources, operator intervention, system error.
        _ if ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class))
            && code.len() == 5 =>
        {
            Fault::Unavailable
        }
        _ => of_sqlite(code),
    }
}

/// SQLite's codes are numbers whose last byte is the kind, and the bytes above it the detail.
fn of_sqlite(code: &str) -> Fault {
    match code.parse::<u32>().map(|code| code & 0xff) {
        // Interrupted: by the deadline of a list, which nothing else does.
        Ok(9) if code.len() < 5 => Fault::Timeout,
        // Busy, locked, out of memory, read-only, I/O error, full, cannot open.
        Ok(5 | 6 | 7 | 8 | 10 | 13 | 14) if code.len() < 5 => Fault::Unavailable,
        _ => Fault::Other,
    }
}
