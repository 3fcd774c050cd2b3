//! Reading the members of a group, however many: the database puts them into one text of some forty bytes each, which
//! is taken apart while an answer is written.
//!
//! One statement, so it tells of one moment, and the connection is free again before the first byte is sent: a client
//! that reads slowly holds nothing but the text.

use super::MemberNames;
use crate::error::DirectoryError;
use crate::scope::Scoped;
use migrations::Engine;
use scim_core::MemberKind;

/// The members of a group, in the order of their ids.
///
/// A line each: the first letter of its type, its id and, where names were wanted, a tab and the name as JSON.
#[derive(Debug, Clone, Default)]
pub struct MemberText {
    lines: String,
}

/// One member of a [`MemberText`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberLine<'a> {
    /// Its id.
    pub id: &'a str,
    /// What it is.
    pub kind: MemberKind,
    /// Its displayName, or userName, as JSON text.
    pub display: Option<&'a str>,
}

impl MemberText {
    /// Members from their lines, for tests of what is made of them.
    #[must_use]
    pub fn of(lines: String) -> Self {
        Self { lines }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// How much memory they take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.lines.len()
    }

    /// The members, one after the other.
    pub fn lines(&self) -> impl Iterator<Item = MemberLine<'_>> {
        self.lines.lines().filter_map(parse)
    }

    /// The member at a place, and the next place; places begin with 0.
    #[must_use]
    pub fn at(&self, place: usize) -> Option<(MemberLine<'_>, usize)> {
        let rest = self.lines.get(place..)?;
        let line = rest.split('\n').next()?;
        Some((parse(line)?, place + line.len() + 1))
    }
}

fn parse(line: &str) -> Option<MemberLine<'_>> {
    let (kind, rest) = line.split_at_checked(1)?;
    let (id, display) = match rest.split_once('\t') {
        Some((id, display)) => (id, Some(display)),
        None => (rest, None),
    };
    let kind = if kind == "G" { MemberKind::Group } else { MemberKind::User };
    Some(MemberLine { id, kind, display })
}

impl Scoped {
    /// The members of a group; none where there is no such group.
    ///
    /// # Errors
    /// When the store fails.
    #[tracing::instrument(name = "directory.members.read", skip_all)]
    pub async fn member_text(
        &self,
        group_id: &str,
        names: MemberNames,
    ) -> Result<MemberText, DirectoryError> {
        let sql = format!("SELECT {} WHERE $1 = $1", text(self.engine(), names, "$2"));
        let row = self.read_one(&sql, vec![group_id.into()]).await?;
        let lines: Option<String> = row.map_or(Ok(None), |row| row.try_get_by_index(0))?;
        Ok(MemberText { lines: lines.unwrap_or_default() })
    }
}

/// The members of a group as the lines of one text.
fn text(engine: Engine, names: MemberNames, group: &str) -> String {
    let (name, joins) = match names {
        MemberNames::Unwanted => ("", ""),
        MemberNames::Wanted => (
            match engine {
                Engine::Sqlite => {
                    " || CASE WHEN coalesce(u.display, d.display) IS NULL THEN '' ELSE char(9) || json_quote(coalesce(u.display, d.display)) END"
                }
                Engine::Postgres => {
                    " || coalesce(chr(9) || to_json(coalesce(u.display, d.display))::text, '')"
                }
            },
            "LEFT JOIN users u ON u.tenant_id = $1 AND u.id = m.member_id
             LEFT JOIN groups d ON d.tenant_id = $1 AND d.id = m.member_id AND m.kind = 'Group'",
        ),
    };
    match engine {
        Engine::Sqlite => format!(
            "(SELECT group_concat(k.line, char(10)) FROM (SELECT substr(m.kind, 1, 1) || m.member_id{name} AS line FROM members m {joins}
              WHERE m.tenant_id = $1 AND m.group_id = {group} ORDER BY m.member_id) k)"
        ),
        Engine::Postgres => format!(
            "(SELECT string_agg(left(m.kind, 1) || m.member_id{name}, chr(10) ORDER BY m.member_id) FROM members m {joins}
              WHERE m.tenant_id = $1 AND m.group_id = {group})"
        ),
    }
}
