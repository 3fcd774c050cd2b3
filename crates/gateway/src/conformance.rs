//! A black-box client that checks any SCIM server against RFC 7643, RFC 7644 and RFC 9865, section by section.
//!
//! It knows nothing of this gateway: what the server offers is read from its discovery documents, a feature that is announced
//! as unsupported is skipped, one that is announced is tested. What it makes is named so that it can be recognised
//! (`conformance-` and a number drawn for the run) and is deleted at the end, also when the run is cut short.
//!
//! **Invariant**: no answer of a server ends the run; a strange answer is a finding with what was sent and what came back.

mod bulk;
mod characteristics;
mod check;
mod create;
mod cursor;
mod discovery;
mod exchange;
mod filter;
mod groups;
mod http;
mod json;
mod paging;
mod patch;
mod patch_paths;
mod people;
mod projection;
mod replace;
mod report;
mod representation;
mod resources;
mod search;
mod session;
mod sort;
mod target;
mod versions;

use check::{Check, Stop};
use session::Session;
use std::time::Duration;

pub use check::{Level, Need};
pub use report::{Entry, Outcome, Report};

/// What to test and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The base URL, such as `https://example.com/scim/v2`.
    pub base: String,
    /// The bearer token; without one no `Authorization` is sent.
    pub token: Option<String>,
    /// Hosts that may be talked to without TLS, or with a certificate that nobody vouches for.
    pub insecure_hosts: Vec<String>,
    /// Only checks whose id or section begins so.
    pub only: Option<String>,
    /// Whether what was made stays.
    pub keep: bool,
    /// How long one request may take.
    pub timeout: Duration,
}

/// Why a run could not begin.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The base URL is none.
    #[error("{0:?} is not a base URL; one begins with https:// or http://")]
    BaseUrl(String),
    /// The token would travel in the clear.
    #[error("{0} would get the token without TLS; if that is meant, add --insecure-host {0}")]
    Clear(String),
    /// The client could not be built.
    #[error("the HTTP client could not be built")]
    Client(#[from] reqwest::Error),
    /// There is no server.
    #[error("{0} does not answer; {1}")]
    Silent(String, String),
    /// No check has this section.
    #[error("no check belongs to {0:?}; a section is such as 3.4.2, 7644-3.7 or 9865")]
    Nothing(String),
}

/// One run against one server.
pub struct Run {
    session: Session,
    chosen: Vec<&'static Check>,
    keep: bool,
}

impl Run {
    /// Makes the client; nothing is sent yet.
    ///
    /// # Errors
    /// Fails when the options cannot be meant.
    pub fn new(options: &Options) -> Result<Self, Trouble> {
        let chosen: Vec<&'static Check> = every()
            .filter(|check| options.only.as_deref().is_none_or(|only| check.is_within(only)))
            .collect();
        if let (true, Some(only)) = (chosen.is_empty(), &options.only) {
            return Err(Trouble::Nothing(only.clone()));
        }
        Ok(Self { session: Session::new(options)?, chosen, keep: options.keep })
    }

    /// Discovers the server and runs the checks, telling each result as it comes.
    ///
    /// # Errors
    /// Fails when nothing answers at the base URL.
    pub async fn checks(&mut self, mut tell: impl FnMut(&Entry)) -> Result<Report, Trouble> {
        self.session.discover().await?;
        let mut entries = Vec::new();
        for check in &self.chosen {
            let entry = self.one(check).await;
            tell(&entry);
            entries.push(entry);
        }
        Ok(Report::new(self.session.base(), entries))
    }

    async fn one(&self, check: &'static Check) -> Entry {
        let target = self.session.target();
        if let Some(reason) = check.needs.iter().find_map(|need| target.lacks(need)) {
            return Entry::new(check, Outcome::Skipped(reason));
        }
        let outcome = match check.run(&self.session).await {
            Ok(()) => Outcome::Passed,
            Err(Stop::Skip(reason)) => Outcome::Skipped(reason),
            Err(Stop::Unmet(unmet)) => match check.level {
                Level::Must => Outcome::Failed(unmet),
                Level::Should => Outcome::Warned(unmet),
            },
        };
        Entry::new(check, outcome)
    }

    /// Deletes what was made; gives the paths of what is left.
    pub async fn clean_up(&self) -> Vec<String> {
        if self.keep {
            return Vec::new();
        }
        self.session.clean_up().await
    }
}

/// The id, the level and the title of every check.
pub fn catalogue() -> impl Iterator<Item = (&'static str, Level, &'static str)> {
    every().map(|check| (check.id, check.level, check.title))
}

fn every() -> impl Iterator<Item = &'static Check> {
    [
        discovery::CHECKS,
        representation::CHECKS,
        resources::CHECKS,
        characteristics::CHECKS,
        http::CHECKS,
        create::CHECKS,
        filter::CHECKS,
        sort::CHECKS,
        paging::CHECKS,
        search::CHECKS,
        projection::CHECKS,
        replace::CHECKS,
        patch::CHECKS,
        patch_paths::CHECKS,
        groups::CHECKS,
        bulk::CHECKS,
        versions::CHECKS,
        cursor::CHECKS,
    ]
    .into_iter()
    .flatten()
}
