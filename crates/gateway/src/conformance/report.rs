//! What was found, for people and for programs.

use super::check::{Check, Level, Unmet};
use super::exchange::Exchange;
use serde_json::{Value, json};

/// How a check came out.
#[derive(Debug)]
pub enum Outcome {
    /// The sentence is kept.
    Passed,
    /// A SHOULD is not kept.
    Warned(Box<Unmet>),
    /// A MUST is not kept.
    Failed(Box<Unmet>),
    /// Nothing can be said, and why.
    Skipped(String),
}

impl Outcome {
    /// One word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed => "pass",
            Self::Warned(_) => "warning",
            Self::Failed(_) => "fail",
            Self::Skipped(_) => "skipped",
        }
    }
}

/// A check and how it came out.
#[derive(Debug)]
pub struct Entry {
    /// The check's id.
    pub id: &'static str,
    /// The number of the RFC.
    pub rfc: &'static str,
    /// The section.
    pub section: &'static str,
    /// How binding it is.
    pub level: Level,
    /// What is wanted.
    pub title: &'static str,
    /// How it came out.
    pub outcome: Outcome,
}

impl Entry {
    pub(super) fn new(check: &'static Check, outcome: Outcome) -> Self {
        let (rfc, section) = check.place();
        Self { id: check.id, rfc, section, level: check.level, title: check.title, outcome }
    }

    fn to_json(&self) -> Value {
        let (reason, exchange) = match &self.outcome {
            Outcome::Passed => (None, None),
            Outcome::Skipped(reason) => (Some(reason.as_str()), None),
            Outcome::Warned(unmet) | Outcome::Failed(unmet) => {
                (Some(unmet.what.as_str()), unmet.exchange.as_ref())
            }
        };
        json!({
            "id": self.id,
            "rfc": self.rfc,
            "section": self.section,
            "level": self.level,
            "title": self.title,
            "outcome": self.outcome.word(),
            "reason": reason,
            "exchange": exchange.map(Exchange::to_json),
        })
    }

    /// The lines for people.
    fn lines(&self) -> Vec<String> {
        let word = self.outcome.word();
        let mut lines = vec![format!("  {word:<8} {}  {}", self.id, self.title)];
        match &self.outcome {
            Outcome::Passed => {}
            Outcome::Skipped(reason) => lines.push(format!("           {reason}")),
            Outcome::Warned(unmet) | Outcome::Failed(unmet) => {
                lines.push(format!("           {}", Exchange::shortened(&unmet.what)));
                let Some(exchange) = &unmet.exchange else { return lines };
                let path = Exchange::shortened(&exchange.path);
                lines.push(format!("           → {} {path}", exchange.method));
                if let Some(sent) = &exchange.sent {
                    lines.push(format!("             {}", Exchange::shortened(sent)));
                }
                let received = Exchange::shortened(&exchange.received);
                lines.push(format!("           ← {} {received}", exchange.status));
            }
        }
        lines
    }
}

/// All that was found.
#[derive(Debug)]
pub struct Report {
    base: String,
    /// Every check, in the order of the run.
    pub entries: Vec<Entry>,
}

impl Report {
    pub(super) fn new(base: &str, mut entries: Vec<Entry>) -> Self {
        entries.sort_by_key(|entry| (entry.rfc, numbers(entry.section)));
        Self { base: base.to_owned(), entries }
    }

    /// Whether no MUST failed.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.count("fail") == 0
    }

    /// How many came out so.
    #[must_use]
    pub fn count(&self, word: &str) -> usize {
        self.entries.iter().filter(|entry| entry.outcome.word() == word).count()
    }

    /// The report as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let checks: Vec<Value> = self.entries.iter().map(Entry::to_json).collect();
        json!({
            "base": self.base,
            "good": self.is_good(),
            "pass": self.count("pass"),
            "fail": self.count("fail"),
            "warning": self.count("warning"),
            "skipped": self.count("skipped"),
            "checks": checks,
        })
    }

    /// The report for people: by RFC and section.
    #[must_use]
    pub fn to_lines(&self) -> Vec<String> {
        let mut lines = vec![format!("SCIM conformance of {}", self.base)];
        let mut last = ("", "");
        for entry in &self.entries {
            let place = (entry.rfc, entry.section);
            if place != last {
                lines.push(String::new());
                lines.push(format!("RFC {} §{} {}", entry.rfc, entry.section, name(place)));
                last = place;
            }
            lines.extend(entry.lines());
        }
        lines.push(String::new());
        lines.push(format!(
            "{} passed, {} failed, {} warnings, {} skipped",
            self.count("pass"),
            self.count("fail"),
            self.count("warning"),
            self.count("skipped"),
        ));
        lines
    }
}

/// A section's numbers, so that 3.10 comes after 3.9.
fn numbers(section: &str) -> Vec<u32> {
    section.split('.').map(|part| part.parse().unwrap_or(u32::MAX)).collect()
}

fn name(place: (&str, &str)) -> &'static str {
    let found = SECTIONS.iter().find(|(rfc, section, _)| (*rfc, *section) == place);
    found.map_or("", |(_, _, name)| name)
}

/// What the sections are about.
const SECTIONS: &[(&str, &str, &str)] = &[
    ("7643", "2.1", "Attribute names"),
    ("7643", "2.2", "Attribute characteristics"),
    ("7643", "2.3", "Data types"),
    ("7643", "2.4", "Multi-valued attributes"),
    ("7643", "2.5", "Unassigned and null values"),
    ("7643", "3", "Resources"),
    ("7643", "3.1", "Common attributes"),
    ("7643", "3.3", "Extensions"),
    ("7643", "4.1", "User"),
    ("7643", "4.1.1", "User: singular attributes"),
    ("7643", "4.1.2", "User: multi-valued attributes"),
    ("7643", "4.2", "Group"),
    ("7643", "4.3", "Enterprise user"),
    ("7643", "5", "ServiceProviderConfig"),
    ("7643", "6", "ResourceType"),
    ("7643", "7", "Schema definition"),
    ("7643", "8.7", "Schema representation"),
    ("7644", "2", "Authentication and authorization"),
    ("7644", "3.1", "Media types"),
    ("7644", "3.3", "Creating resources"),
    ("7644", "3.4.1", "Retrieving a known resource"),
    ("7644", "3.4.2", "Querying resources"),
    ("7644", "3.4.2.1", "Query endpoints"),
    ("7644", "3.4.2.2", "Filtering"),
    ("7644", "3.4.2.3", "Sorting"),
    ("7644", "3.4.2.4", "Pagination"),
    ("7644", "3.4.3", "Querying with POST"),
    ("7644", "3.5.1", "Replacing with PUT"),
    ("7644", "3.5.2", "Modifying with PATCH"),
    ("7644", "3.5.2.1", "PATCH add"),
    ("7644", "3.5.2.2", "PATCH remove"),
    ("7644", "3.5.2.3", "PATCH replace"),
    ("7644", "3.6", "Deleting"),
    ("7644", "3.7", "Bulk"),
    ("7644", "3.7.1", "Bulk: circular references"),
    ("7644", "3.7.2", "Bulk: bulkId"),
    ("7644", "3.7.3", "Bulk: responses"),
    ("7644", "3.7.4", "Bulk: limits"),
    ("7644", "3.8", "Data formats"),
    ("7644", "3.9", "Additional parameters"),
    ("7644", "3.10", "Attribute notation"),
    ("7644", "3.11", "/Me"),
    ("7644", "3.12", "Errors"),
    ("7644", "3.13", "Versioning of the protocol"),
    ("7644", "3.14", "Versioning of resources"),
    ("7644", "4", "Discovery"),
    ("7644", "7.5", "Secrets in URIs"),
    ("9865", "2", "Cursors"),
    ("9865", "2.1", "Pagination errors"),
    ("9865", "2.2", "Sorting"),
    ("9865", "2.3", "Default pagination method"),
    ("9865", "3", "Querying with POST"),
    ("9865", "4", "ServiceProviderConfig"),
];
