//! Reading the provisioning log.

use crate::scope::instant;
use sea_orm::{DbErr, QueryResult};
use time::OffsetDateTime;

/// One row of the provisioning log.
#[derive(Debug, Clone)]
pub struct DecisionRow {
    /// Its id; ids are in the order of time.
    pub id: String,
    /// When the request came.
    pub at: OffsetDateTime,
    /// Such as `user.create`.
    pub operation: String,
    /// `done`, `unchanged`, `refused` or `read`.
    pub outcome: String,
    /// The reason code.
    pub reason: String,
    /// The HTTP status answered.
    pub status: u16,
    /// `User`, `Group` or another resource type.
    pub resource_type: String,
    /// The resource it was about, if one is known.
    pub resource_id: Option<String>,
    /// The userName or displayName as sent.
    pub subject: Option<String>,
    /// The attribute that a refusal is about.
    pub attribute: Option<String>,
    /// What the caller was told.
    pub detail: String,
    /// Names of the attributes that changed.
    pub changed: Vec<String>,
    /// Names of the attributes accepted and not used.
    pub ignored: Vec<String>,
    /// Ids of the deviations tolerated.
    pub quirks: Vec<String>,
    /// The request's id.
    pub request_id: String,
    /// The trace's id.
    pub trace_id: Option<String>,
    /// The client's family.
    pub client: String,
    /// The credential used.
    pub key_id: String,
    /// From the request's arrival to this row, in microseconds.
    pub duration_us: i64,
}

pub(super) const SELECT: &str = "SELECT id, at, operation, outcome, reason, status, resource_type, resource_id, subject, attribute, detail, changed,
     ignored, quirks, request_id, trace_id, client, key_id, duration_us FROM decisions WHERE tenant_id = $1";

/// That a decision is about someone: the place of the name in comparison form, and that of the text as an id. The ids of
/// such decisions are looked up in two indexes; as a condition with OR, a planner tests each decision of the tenant.
pub(super) fn about(key: &str, id: &str) -> String {
    format!(
        "id IN (
             SELECT id FROM decisions WHERE tenant_id = $1 AND subject_key = {key}
             UNION SELECT d.id FROM (
                 SELECT {id} AS id UNION SELECT id FROM users WHERE tenant_id = $1 AND user_name_key = {key}
                 UNION SELECT id FROM groups WHERE tenant_id = $1 AND display_key = {key}
                 UNION SELECT id FROM tombstones WHERE tenant_id = $1 AND subject_key = {key}) k
             JOIN decisions d ON d.tenant_id = $1 AND d.resource_id = k.id)"
    )
}

pub(super) fn row(row: &QueryResult) -> Result<DecisionRow, DbErr> {
    let list = |index| -> Result<Vec<String>, DbErr> {
        let text: String = row.try_get_by_index(index)?;
        Ok(text.split_whitespace().map(str::to_owned).collect())
    };
    let status: i64 = row.try_get_by_index(5)?;
    Ok(DecisionRow {
        id: row.try_get_by_index(0)?,
        at: instant(row.try_get_by_index(1)?),
        operation: row.try_get_by_index(2)?,
        outcome: row.try_get_by_index(3)?,
        reason: row.try_get_by_index(4)?,
        status: u16::try_from(status).unwrap_or_default(),
        resource_type: row.try_get_by_index(6)?,
        resource_id: row.try_get_by_index(7)?,
        subject: row.try_get_by_index(8)?,
        attribute: row.try_get_by_index(9)?,
        detail: row.try_get_by_index(10)?,
        changed: list(11)?,
        ignored: list(12)?,
        quirks: list(13)?,
        request_id: row.try_get_by_index(14)?,
        trace_id: row.try_get_by_index(15)?,
        client: row.try_get_by_index(16)?,
        key_id: row.try_get_by_index(17)?,
        duration_us: row.try_get_by_index(18)?,
    })
}
