//! One check: which sentence of which RFC it holds a server to, what it needs, and how it ends.

use super::exchange::Exchange;
use super::session::Session;
use std::future::Future;
use std::pin::Pin;

/// How binding the sentence is (RFC 2119).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// MUST, MUST NOT, SHALL, REQUIRED.
    Must,
    /// SHOULD, SHOULD NOT, RECOMMENDED.
    Should,
}

/// What a server must offer for a check to make sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The resource type User.
    User,
    /// The resource type Group.
    Group,
    /// The enterprise extension of User.
    Enterprise,
    /// An attribute of the User schema.
    Attribute(&'static str),
    /// An attribute of the User schema that is not announced as caseExact.
    Folded(&'static str),
    /// `patch.supported`.
    Patch,
    /// `filter.supported`.
    Filter,
    /// `sort.supported`.
    Sort,
    /// `etag.supported`.
    Etag,
    /// `bulk.supported`.
    Bulk,
    /// `pagination.cursor`.
    Cursor,
    /// `POST /.search`, told by whether it answers.
    Search,
    /// A token, without which nothing can be said about authentication.
    Token,
}

/// How a check ends that does not pass.
pub(super) enum Stop {
    /// Nothing can be said.
    Skip(String),
    /// The sentence is not kept.
    Unmet(Box<Unmet>),
}

/// What was expected and what happened instead.
#[derive(Debug)]
pub struct Unmet {
    /// In words.
    pub what: String,
    /// What was sent and what came back.
    pub exchange: Option<Exchange>,
}

/// What a check comes to.
pub(super) type Verdict<T = ()> = Result<T, Stop>;

/// The future of a check.
pub(super) type Step<'a> = Pin<Box<dyn Future<Output = Verdict> + 'a>>;

/// How a check is done.
pub(super) enum How {
    /// By a function.
    Steps(for<'a> fn(&'a Session) -> Step<'a>),
    /// By filters over the known people: the filter, and the letters of those it must find.
    Filters(&'static [(&'static str, &'static str)]),
    /// By filters that must be refused.
    Refused(&'static [&'static str]),
}

/// One sentence of an RFC, to be tried.
pub(super) struct Check {
    /// The RFC, the section and a word: `7644-3.3-created`.
    pub(super) id: &'static str,
    pub(super) level: Level,
    pub(super) needs: &'static [Need],
    pub(super) title: &'static str,
    pub(super) how: How,
}

impl Check {
    /// The number of the RFC and the section.
    pub(super) fn place(&self) -> (&'static str, &'static str) {
        let mut parts = self.id.splitn(3, '-');
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
    }

    /// Whether the check belongs to what was asked for: `7644`, `7644-3.4`, `3.4`, or an id.
    pub(super) fn is_within(&self, only: &str) -> bool {
        let begins = |text: &str| {
            let rest = text.strip_prefix(only);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
        };
        begins(self.id) || begins(self.place().1)
    }

    pub(super) async fn run(&self, session: &Session) -> Verdict {
        match self.how {
            How::Steps(steps) => steps(session).await,
            How::Filters(cases) => super::filter::find(session, cases).await,
            How::Refused(filters) => super::filter::refuse(session, filters).await,
        }
    }
}

/// Writes a table of checks: `"id" Must [needs] "title" => function,`.
macro_rules! checks {
    ($($id:literal $level:ident [$($need:ident $(($of:literal))?),*] $title:literal => $function:ident,)*) => {
        /// The checks of this module.
        pub(super) const CHECKS: &[$crate::conformance::check::Check] = &[$(
            $crate::conformance::check::Check {
                id: $id,
                level: $crate::conformance::check::Level::$level,
                needs: &[$($crate::conformance::check::Need::$need $(($of))?),*],
                title: $title,
                how: $crate::conformance::check::How::Steps(|session| Box::pin($function(session))),
            },
        )*];
    };
}
pub(super) use checks;

/// Fails without an exchange.
pub(super) fn unmet<T>(what: impl Into<String>) -> Verdict<T> {
    Err(Stop::Unmet(Box::new(Unmet { what: what.into(), exchange: None })))
}

/// Says that nothing can be said.
pub(super) fn skip<T>(reason: impl Into<String>) -> Verdict<T> {
    Err(Stop::Skip(reason.into()))
}
