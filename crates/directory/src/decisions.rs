//! Why it happened: one row for every SCIM operation, the provisioning log.
//!
//! The decision of a write is a step of the write's own script. A refusal is written before it is answered. The
//! decisions of reads are buffered and written together, a tenant at a time, within a fifth of a second.
//!
//! What a decision tolerated is counted too, when its operation is done.
//!
//! **Invariant**: names of attributes, never their values; the subject's name stays in the region's store.

mod counts;
mod log;
mod page;
mod recorder;

pub use counts::QuirkCount;
pub use log::DecisionRow;
pub use page::DecisionQuery;
pub(crate) use recorder::Recorder;

use crate::error::DirectoryError;
use crate::scope::{Scoped, first_id, micros, new_id};
use crate::script::Script;
use provisioning::{Reason, Refusal};
use scim_core::{Notes, UserName};
use sea_orm::Value;
use std::time::Instant;
use time::OffsetDateTime;

/// Who asked for what, and what was tolerated on the way: what every decision carries.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Such as `user.create`.
    pub operation: &'static str,
    /// The id under which the caller and the logs know the request.
    pub request_id: String,
    /// The trace it belongs to, if it is traced.
    pub trace_id: Option<String>,
    /// The client's family, such as `entra`.
    pub client: String,
    /// The credential used.
    pub key_id: String,
    /// When the request came, for its duration.
    pub started: Instant,
    /// The time that the request takes place at.
    pub now: OffsetDateTime,
    /// Quirks met and attributes passed over.
    pub notes: Notes,
    /// Its place, if it is one operation of a bulk request.
    pub part: Option<Part>,
}

/// The place of an operation in its bulk request (RFC 7644 §3.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Counted from 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
    /// The id of what it makes, given ahead so that other operations can name it.
    pub id: String,
}

impl Asked {
    /// The id of what this operation makes.
    pub(crate) fn id(&self) -> String {
        match &self.part {
            Some(part) if !part.id.is_empty() => part.id.clone(),
            _ => new_id(self.now),
        }
    }

    /// The place in a bulk request, and what is to be said.
    fn detail(&self, said: &str) -> String {
        match &self.part {
            None => said.to_owned(),
            Some(Part { number, of, .. }) => {
                format!("Bulk operation {number} of {of}. {said}").trim_end().to_owned()
            }
        }
    }
}

/// What became of an operation.
#[derive(Debug, Clone)]
pub(crate) struct Verdict<'a> {
    pub(crate) outcome: &'static str,
    pub(crate) reason: Reason,
    pub(crate) status: u16,
    pub(crate) resource_type: &'static str,
    pub(crate) resource_id: Option<&'a str>,
    /// The name as sent: userName or displayName.
    pub(crate) subject: Option<&'a str>,
    pub(crate) attribute: Option<&'a str>,
    pub(crate) detail: &'a str,
    pub(crate) changed: &'a [String],
}

/// A refusal, and what it was about.
#[derive(Debug)]
pub struct Refused<'a> {
    /// Why, and what the caller is told.
    pub refusal: &'a Refusal,
    /// `User`, `Group` or another resource type.
    pub resource_type: &'static str,
    /// The resource named by the URL, if one.
    pub resource_id: Option<&'a str>,
    /// The name that the body gave, if one could be read.
    pub subject: Option<&'a str>,
}

pub(crate) const COLUMNS: &str = "tenant_id, id, at, operation, outcome, reason, status, resource_type, resource_id, subject, subject_key, attribute, \
     detail, changed, ignored, quirks, request_id, trace_id, client, key_id, duration_us";

/// The values of one row, in the order of [`COLUMNS`] after the tenant.
fn values(asked: &Asked, id: &str, verdict: &Verdict<'_>) -> Vec<Value> {
    let ignored: Vec<&str> = asked.notes.ignored_attributes().collect();
    let quirks: Vec<&str> = asked.notes.quirks().map(scim_core::Quirk::id).collect();
    let duration = i64::try_from(asked.started.elapsed().as_micros()).unwrap_or(i64::MAX);
    vec![
        id.into(),
        micros(asked.now).into(),
        asked.operation.into(),
        verdict.outcome.into(),
        verdict.reason.as_str().into(),
        i64::from(verdict.status).into(),
        verdict.resource_type.into(),
        verdict.resource_id.map(|id| indexed(id).to_owned()).into(),
        verdict.subject.map(str::to_owned).into(),
        verdict.subject.map(subject_key).into(),
        verdict.attribute.map(str::to_owned).into(),
        asked.detail(verdict.detail).into(),
        verdict.changed.join(" ").into(),
        ignored.join(" ").into(),
        quirks.join(" ").into(),
        asked.request_id.as_str().into(),
        asked.trace_id.clone().into(),
        asked.client.as_str().into(),
        asked.key_id.as_str().into(),
        duration.into(),
    ]
}

/// An id of a time that the same key always gets: the form of RFC 9562 §5.7 with a hash (FNV-1a) where chance would be.
fn id_of_event(at: OffsetDateTime, key: &str) -> String {
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let (high, middle, low) = (hash >> 52, 0x8000 | (hash >> 38 & 0x3fff), hash & 0x3f_ffff_ffff);
    let time = first_id(at);
    let time = time.get(..14).unwrap_or_default();
    format!("{time}7{high:03x}-{middle:04x}-{low:012x}")
}

/// The key under which a subject's decisions are found.
fn subject_key(subject: &str) -> String {
    indexed(&UserName::key_of(subject)).to_owned()
}

/// As much of a text as an index row surely holds. What is longer is nobody's id and no name that was taken, only what
/// a refused request held.
fn indexed(text: &str) -> &str {
    text.get(..text.floor_char_boundary(KEY_BYTES)).unwrap_or(text)
}

/// The longest text of an indexed column, in bytes; the longest key of a userName.
const KEY_BYTES: usize = 2_048;

/// That there is still a log to write to: what is written without a look at the fence must not land behind a purge, nor in a
/// store that the tenant has left.
pub(crate) const NOT_PURGED: &str =
    "NOT EXISTS (SELECT 1 FROM tenants WHERE tenant_id = $1 AND state IN ('purged', 'moved'))";

/// Adds the decision to a script, as its last step.
pub(crate) fn record(script: &mut Script, asked: &Asked, id: &str, verdict: &Verdict<'_>) {
    let gate = script.gate();
    record_where(script, asked, id, verdict, &gate);
}

fn record_where(
    script: &mut Script,
    asked: &Asked,
    id: &str,
    verdict: &Verdict<'_>,
    condition: &str,
) {
    let places: Vec<String> =
        values(asked, id, verdict).into_iter().map(|value| script.bind(value)).collect();
    let places = places.join(", ");
    script.step(
        "decision",
        format!("INSERT INTO decisions ({COLUMNS}) SELECT $1, {places} WHERE {condition}"),
    );
}

/// The values of a decision that is one of two, the first where `did` holds; after the tenant, in the order of
/// [`COLUMNS`].
pub(crate) fn either(
    script: &mut Script,
    asked: &Asked,
    id: &str,
    (done, other): (&Verdict<'_>, &Verdict<'_>),
    did: &str,
) -> String {
    let values: Vec<Value> = values(asked, id, done);
    let others = self::values(asked, id, other);
    let last = values.len().saturating_sub(1);
    let places: Vec<String> = values
        .into_iter()
        .zip(others)
        .enumerate()
        .map(|(number, (value, other))| {
            let place = script.bind(value.clone());
            // The last is how long it took until now.
            if value == other || number == last {
                return place;
            }
            format!("CASE WHEN {did} THEN {place} ELSE {} END", script.bind(other))
        })
        .collect();
    places.join(", ")
}

impl Scoped {
    /// Writes the decision of an operation that changed nothing.
    pub(crate) async fn decide(
        &self,
        asked: &Asked,
        verdict: &Verdict<'_>,
    ) -> Result<(), DirectoryError> {
        let id = new_id(asked.now);
        let mut script = self.script();
        record_where(&mut script, asked, &id, verdict, NOT_PURGED);
        self.commit(script, &id).await?;
        Ok(())
    }

    /// Writes down what happened to the tenant without being asked for, such as that a token will soon expire; whether
    /// it was new. The same `key` at the same time is the same event, whoever notices it and however often.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn note_event(
        &self,
        asked: &Asked,
        reason: Reason,
        (at, key): (OffsetDateTime, &str),
        detail: &str,
    ) -> Result<bool, DirectoryError> {
        let verdict = Verdict {
            outcome: "noted",
            reason,
            status: reason.status(),
            resource_type: "Tenant",
            resource_id: None,
            subject: None,
            attribute: None,
            detail,
            changed: &[],
        };
        let id = id_of_event(at, key);
        let mut script = self.script();
        let condition = format!("{NOT_PURGED} ON CONFLICT (tenant_id, id) DO NOTHING");
        record_where(&mut script, asked, &id, &verdict, &condition);
        self.commit(script, &id).await
    }

    /// Writes the decision of a refusal, before it is answered.
    ///
    /// # Errors
    /// When the store fails; the refusal stands all the same.
    pub async fn refuse(&self, asked: &Asked, refused: &Refused<'_>) -> Result<(), DirectoryError> {
        let refusal = refused.refusal;
        let verdict = Verdict {
            outcome: "refused",
            reason: refusal.reason,
            status: refusal.reason.status(),
            resource_type: refused.resource_type,
            resource_id: refused.resource_id,
            subject: refused.subject,
            attribute: refusal.attribute.as_deref(),
            detail: &refusal.detail,
            changed: &[],
        };
        self.count_quirks(asked);
        self.decide(asked, &verdict).await
    }

    /// Notes a refusal of a request that came no further than its head; it is written with others, soon.
    pub fn note_refusal(&self, asked: &Asked, refusal: &Refusal) {
        let verdict = Verdict {
            outcome: "refused",
            reason: refusal.reason,
            status: refusal.reason.status(),
            resource_type: "Request",
            resource_id: None,
            subject: None,
            attribute: refusal.attribute.as_deref(),
            detail: &refusal.detail,
            changed: &[],
        };
        self.note(asked, &verdict);
    }

    /// Notes a read, or a request that wrote nothing itself; it is written with others, soon.
    pub fn note_read(
        &self,
        asked: &Asked,
        reason: Reason,
        resource_type: &'static str,
        resource_id: Option<&str>,
        detail: &str,
    ) {
        let verdict = Verdict {
            outcome: if reason == Reason::BulkProcessed { "done" } else { "read" },
            reason,
            status: reason.status(),
            resource_type,
            resource_id,
            subject: None,
            attribute: None,
            detail,
            changed: &[],
        };
        self.note(asked, &verdict);
    }

    fn note(&self, asked: &Asked, verdict: &Verdict<'_>) {
        self.count_quirks(asked);
        let row = values(asked, &new_id(asked.now), verdict);
        self.directory().recorder().note(self.key(), row);
    }
}
