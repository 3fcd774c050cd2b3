//! The `meta` attribute of an answer (RFC 7643 §3.1).

use crate::etag::ETag;
use std::fmt;
use time::{OffsetDateTime, UtcOffset};

/// What the service knows about a resource.
#[derive(Debug, Clone, Copy)]
pub struct Meta<'a> {
    /// `User` or `Group`.
    pub resource_type: &'a str,
    /// When it was made.
    pub created: OffsetDateTime,
    /// When it last changed.
    pub last_modified: OffsetDateTime,
    /// Its version, as in the `ETag`.
    pub version: u64,
    /// Its address.
    pub location: &'a str,
}

impl Meta<'_> {
    /// Compact JSON, written without a tree in between: it is part of every answer.
    #[must_use]
    pub fn to_json(&self) -> String {
        let (resource_type, location) = (quoted(self.resource_type), quoted(self.location));
        let (created, last_modified) = (Instant(self.created), Instant(self.last_modified));
        let version = quoted(&ETag(self.version).to_string());
        format!(
            "{{\"resourceType\":{resource_type},\"created\":\"{created}\",\
             \"lastModified\":\"{last_modified}\",\"location\":{location},\"version\":{version}}}"
        )
    }
}

/// RFC 3339 in UTC with milliseconds.
struct Instant(OffsetDateTime);

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.0.to_offset(UtcOffset::UTC);
        let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
        let (hour, minute, second, milli) = at.to_hms_milli();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
    }
}

fn quoted(text: &str) -> String {
    // A text cannot fail to be written.
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use time::macros::datetime;

    #[test]
    fn meta_is_json_in_utc_with_milliseconds() {
        let meta = Meta {
            resource_type: "User",
            created: datetime!(2026-01-02 03:04:05.0069 +02:00),
            last_modified: datetime!(2026-11-12 13:14:15 UTC),
            version: 7,
            location: "https://app.example.com/scim/v2/Users/a\"b",
        };
        assert_eq!(
            serde_json::from_str::<Value>(&meta.to_json()).unwrap(),
            json!({
                "resourceType": "User",
                "created": "2026-01-02T01:04:05.006Z",
                "lastModified": "2026-11-12T13:14:15.000Z",
                "location": "https://app.example.com/scim/v2/Users/a\"b",
                "version": "W/\"7\"",
            })
        );
    }
}
