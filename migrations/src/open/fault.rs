//! What an error of a database means for whoever asked: by SQLSTATE and SQLite's result codes, never by a text.

use sea_orm_migration::sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlErr};
use std::error::Error;

/// What an error of a database means for whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A unique index refused the row.
    Taken,
    /// Deadlock, serialization failure, or a lock that was not to be had: the same again may succeed.
    Conflict,
    /// The statement was cancelled by its time limit.
    Timeout,
    /// Nothing was done, and another connection may do it: the server takes no writes (25006) or no connections now.
    Refused,
    /// The connection was lost: what had been sent may have been done.
    Lost,
    /// Nothing was done, and it makes no sense to ask again at once: no connection was to be had in time, the disk is full,
    /// the file is locked.
    Unavailable,
    /// Anything else.
    Other,
}

impl Fault {
    /// What an error means.
    #[must_use]
    pub fn of(error: &DbErr) -> Self {
        if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) {
            return Self::Taken;
        }
        let (runtime, is_connecting) = match error {
            DbErr::ConnectionAcquire(
                ConnAcquireErr::Timeout | ConnAcquireErr::ConnectionClosed,
            ) => return Self::Unavailable,
            DbErr::Conn(runtime) => (runtime, true),
            DbErr::Exec(runtime) | DbErr::Query(runtime) => (runtime, false),
            _ => return Self::Other,
        };
        let RuntimeErr::SqlxError(source) = runtime else { return Self::Other };
        match (of_sqlx(source), is_connecting) {
            // Without a connection nothing was sent.
            (Self::Lost, true) => Self::Refused,
            // No connection was to be had, whatever the server said of it.
            (Self::Other | Self::Conflict | Self::Timeout, true) => Self::Unavailable,
            (fault, _) => fault,
        }
    }

    /// Whether the store is away, and not the statement wrong.
    #[must_use]
    pub fn is_away(self) -> bool {
        matches!(self, Self::Refused | Self::Lost | Self::Unavailable)
    }
}

/// Whether a connection cannot be made although nothing is wrong with what is asked for: the server is down, starting,
/// or out of reach. A wrong password and a database that does not exist do not pass by themselves.
#[must_use]
pub fn may_pass(error: &DbErr) -> bool {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(source)) => {
            let code = source.as_database_error().and_then(sqlx::error::DatabaseError::code);
            code.is_none_or(|code| {
                ["08", "53", "55", "57", "58", "25"].iter().any(|class| code.starts_with(class))
            })
        }
        error => Fault::of(error).is_away() || Fault::of(error) == Fault::Timeout,
    }
}

/// An error and its causes in one line, each said once: for logs, whose JSON shows of an error only its own text.
#[must_use]
pub fn causes(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !said.contains(&text) {
            said.push_str(": ");
            said.push_str(&text);
        }
        cause = error.source();
    }
    said
}

/// The SQLSTATE, or SQLite's result code.
#[must_use]
pub fn code(error: &DbErr) -> Option<String> {
    let (DbErr::Conn(RuntimeErr::SqlxError(source))
    | DbErr::Exec(RuntimeErr::SqlxError(source))
    | DbErr::Query(RuntimeErr::SqlxError(source))) = error
    else {
        return None;
    };
    let code = source.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.map(std::borrow::Cow::into_owned)
}

fn of_sqlx(error: &sqlx::Error) -> Fault {
    match error {
        sqlx::Error::Database(database) => of_code(database.code().as_deref().unwrap_or_default()),
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::BeginFailed
        | sqlx::Error::WorkerCrashed => Fault::Lost,
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => Fault::Unavailable,
        _ => Fault::Other,
    }
}

fn of_code(code: &str) -> Fault {
    match code {
        "57014" => Fault::Timeout,
        "40001" | "40P01" | "55P03" => Fault::Conflict,
        // Read-only after a failover; the server does not take connections yet.
        "25006" | "57P03" => Fault::Refused,
        // The server goes away: a statement whose answer was on its way may have been committed.
        "57P01" | "57P02" | "57P04" | "57P05" | "25P03" => Fault::Lost,
        _ if code.len() == 5 && code.starts_with("08") => Fault::Lost,
        // Insufficient resources, operator intervention, system error.
        _ if code.len() == 5 && ["53", "57", "58"].iter().any(|class| code.starts_with(class)) => {
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

/// Whether a SQLite file is locked by another connection.
pub(super) fn is_busy(error: &DbErr) -> bool {
    code(error)
        .filter(|code| code.len() < 5)
        .and_then(|code| code.parse::<u32>().ok())
        .is_some_and(|code| code & 0xff == 5)
}

#[cfg(test)]
mod tests {
    use super::{Fault, of_code};

    #[test]
    fn codes_say_whether_something_may_have_been_done() {
        for (code, fault) in [
            ("25006", Fault::Refused),
            ("57P03", Fault::Refused),
            ("57P01", Fault::Lost),
            ("57P02", Fault::Lost),
            ("08006", Fault::Lost),
            ("40001", Fault::Conflict),
            ("40P01", Fault::Conflict),
            ("57014", Fault::Timeout),
            ("53100", Fault::Unavailable),
            ("42P01", Fault::Other),
            ("5", Fault::Unavailable),
            ("517", Fault::Unavailable),
            ("9", Fault::Timeout),
        ] {
            assert_eq!(of_code(code), fault, "{code}");
        }
    }
}
