//! Why a directory operation did not do what was asked.

pub(crate) use migrations::Fault;
use provisioning::Refusal;
use scim_core::ScimError;
use sea_orm::DbErr;

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
    /// The connection was lost while the change was being committed, and the store does not say whether it was.
    #[error("the directory store did not say whether the change was made")]
    Uncertain(#[source] DbErr),
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

impl DirectoryError {
    /// Whether the store is only away, so that trying later makes sense.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Open(error) => error.may_pass(),
            Self::Unavailable(_) | Self::Uncertain(_) | Self::Contended => true,
            _ => false,
        }
    }
}

impl From<Refusal> for DirectoryError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<DbErr> for DirectoryError {
    fn from(error: DbErr) -> Self {
        match Fault::of(&error) {
            // A statement that was cancelled by its time limit mostly waited for someone else's lock. Only a list knows
            // that it was its own filter that took the time; see [`expensive`].
            Fault::Unavailable | Fault::Refused | Fault::Lost | Fault::Timeout => {
                Self::Unavailable(error)
            }
            Fault::Conflict => Self::Contended,
            Fault::Taken | Fault::Other => Self::Store(error),
        }
    }
}

/// The error of a list: one that ran out of time was asked for too much.
pub(crate) fn expensive(error: DbErr) -> DirectoryError {
    if Fault::of(&error) == Fault::Timeout { DirectoryError::TooExpensive } else { error.into() }
}
