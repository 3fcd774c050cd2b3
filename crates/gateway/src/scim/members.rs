//! Groups with their members, however many, written piece by piece.
//!
//! The members of one group lie in memory as a text of some forty bytes each; the JSON, five times as long, is made
//! only as fast as the client takes it. Of a list, only the members of the group at hand are read.
//!
//! **Invariant**: a piece is never much longer than [`PIECE`].

use super::response;
use crate::auth::Caller;
use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use directory::{DirectoryError, MemberLine, MemberNames, MemberText, StoredGroup};
use futures_util::Stream;
use futures_util::stream::unfold;
use scim_core::{MemberKind, Projection, ResourceType};
use serde_json::{Map, Value, json};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// How long a piece of an answer is.
const PIECE: usize = 32 * 1024;

/// Stands for the members where a group is rendered without them: no document has a U+0001 outside of an escape.
const HERE: &str = "\u{1}";

/// Which parts of a member an answer shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Parts {
    value: bool,
    reference: bool,
    kind: bool,
    display: bool,
}

/// Members' names are returned on request: `attributes=members.display`.
#[must_use]
pub fn names(projection: &Projection) -> MemberNames {
    if projection.asks_for("members", "display") {
        MemberNames::Wanted
    } else {
        MemberNames::Unwanted
    }
}

/// One group as JSON that is written when it is taken.
#[derive(Debug)]
pub struct GroupText {
    head: String,
    tail: String,
    base_url: Arc<str>,
    members: MemberText,
    parts: Parts,
    place: Place,
}

/// How far it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Head,
    Member(usize),
    Done,
}

impl GroupText {
    /// A group; its `members` are empty where they are not wanted.
    #[must_use]
    #[tracing::instrument(name = "scim.group.write", skip_all)]
    pub fn new(
        group: &StoredGroup,
        members: MemberText,
        base_url: &str,
        projection: &Projection,
        of: &ResourceType,
    ) -> Self {
        let text = response::group_around(group, (!members.is_empty()).then_some(HERE), base_url);
        let mut all = Parts { value: true, reference: true, kind: true, display: true };
        let (head, tail) = if projection.everything() {
            cut(text)
        } else {
            project(&text, &mut all, projection, of)
        };
        let place = Place::Head;
        Self { head, tail, base_url: base_url.into(), members, parts: all, place }
    }

    /// How long the whole is, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let mut bytes = self.head.len() + self.tail.len();
        if self.shows_members() {
            // The brackets, and a comma after each but the last.
            bytes += 1;
            let mut text = String::new();
            for line in self.members.lines() {
                text.clear();
                self.write(&mut text, line);
                bytes += text.len() + 1;
            }
        }
        bytes as u64
    }

    fn shows_members(&self) -> bool {
        let Parts { value, reference, kind, display } = self.parts;
        !self.members.is_empty() && (value || reference || kind || display)
    }

    /// The next piece; `None` when all is written.
    pub fn piece(&mut self) -> Option<String> {
        let mut text = match self.place {
            Place::Done => return None,
            Place::Head => {
                let mut text = std::mem::take(&mut self.head);
                if !self.shows_members() {
                    self.place = Place::Done;
                    text.push_str(&self.tail);
                    return Some(text);
                }
                text.push('[');
                self.place = Place::Member(0);
                text
            }
            Place::Member(_) => String::with_capacity(PIECE + 512),
        };
        while let Place::Member(at) = self.place {
            let Some((line, next)) = self.members.at(at) else {
                text.push(']');
                text.push_str(&self.tail);
                self.place = Place::Done;
                break;
            };
            if at > 0 {
                text.push(',');
            }
            self.write(&mut text, line);
            self.place = Place::Member(next);
            if text.len() >= PIECE {
                break;
            }
        }
        Some(text)
    }

    /// The whole, for what is known to be small.
    #[must_use]
    pub fn into_text(mut self) -> String {
        let mut text = String::new();
        while let Some(piece) = self.piece() {
            text.push_str(&piece);
        }
        text
    }

    fn write(&self, text: &mut String, line: MemberLine<'_>) {
        let (kind, endpoint) = match line.kind {
            MemberKind::User => ("User", "Users"),
            MemberKind::Group => ("Group", "Groups"),
        };
        let Parts { value, reference, kind: of_kind, display } = self.parts;
        let before = text.len();
        let mut part = |wanted: bool, parts: &[&str]| {
            if wanted {
                text.push(if text.len() == before { '{' } else { ',' });
                parts.iter().for_each(|part| text.push_str(part));
            }
        };
        // Ids are ours and need no escape; the name came as JSON.
        part(value, &["\"value\":\"", line.id, "\""]);
        part(reference, &["\"$ref\":\"", &self.base_url, "/", endpoint, "/", line.id, "\""]);
        part(of_kind, &["\"type\":\"", kind, "\""]);
        part(
            display && line.display.is_some(),
            &["\"display\":", line.display.unwrap_or_default()],
        );
        text.push_str(if text.len() == before { "{}" } else { "}" });
    }
}

/// The text before and after the place of the members.
fn cut(text: String) -> (String, String) {
    match text.split_once(HERE) {
        Some((head, tail)) => (head.to_owned(), tail.to_owned()),
        None => (text, String::new()),
    }
}

/// Chooses attributes, and of members the parts: what is left of one that has all.
fn project(
    text: &str,
    parts: &mut Parts,
    projection: &Projection,
    of: &ResourceType,
) -> (String, String) {
    let sample = json!([{ "value": "x", "$ref": "x", "type": "x", "display": "x" }]).to_string();
    let Ok(mut map) = serde_json::from_str::<Map<String, Value>>(&text.replacen(HERE, &sample, 1))
    else {
        // What the store holds was written by this program as JSON.
        return (text.to_owned(), String::new());
    };
    projection.apply(&mut map, of);
    let left = map.get("members").and_then(|members| members.get(0)).cloned();
    let has = |name: &str| left.as_ref().is_some_and(|member| member.get(name).is_some());
    *parts = Parts {
        value: has("value"),
        reference: has("$ref"),
        kind: has("type"),
        display: has("display"),
    };
    if let Some(members) = map.get_mut("members") {
        *members = Value::from(HERE);
    }
    let text = Value::Object(map).to_string();
    // The last one: a group may have such a name, and nothing that a client says stands behind its members.
    match text.rsplit_once("\"\\u0001\"") {
        Some((head, tail)) => (head.to_owned(), tail.to_owned()),
        None => (text, String::new()),
    }
}

impl MessageBody for GroupText {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.bytes())
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Poll::Ready(self.get_mut().piece().map(|piece| Ok(Bytes::from(piece))))
    }
}

/// A resource of a list.
#[derive(Debug)]
pub enum Shown {
    /// As JSON.
    Text(String),
    /// A group whose members are read when it is its turn.
    Group(StoredGroup),
}

/// What is needed to write a list of groups with their members.
pub struct ListText {
    /// The resources of the page.
    pub resources: VecDeque<Shown>,
    /// Where members are read, and whose schemas hold.
    pub caller: Arc<Caller>,
    /// What is shown of each group.
    pub projection: Projection,
}

impl std::fmt::Debug for ListText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ListText").field("resources", &self.resources.len()).finish_non_exhaustive()
    }
}

impl ListText {
    /// A list response, resource by resource: `head` ends with the opening bracket of `Resources`, `tail` begins with the
    /// closing one.
    ///
    /// A store that fails on the way ends the answer early, which the client sees as a broken one.
    pub fn pieces(
        self,
        head: String,
        tail: String,
    ) -> impl Stream<Item = Result<Bytes, DirectoryError>> {
        let begun = Writing { list: self, head, tail, group: None, first: true };
        unfold(begun, |mut writing| async move {
            match writing.next().await {
                Ok(piece) => piece.map(|piece| (Ok(Bytes::from(piece)), writing)),
                Err(error) => {
                    tracing::error!(error = %error, "a list of groups was cut short: the members of one could not be read");
                    writing.tail.clear();
                    writing.list.resources.clear();
                    Some((Err(error), writing))
                }
            }
        })
    }

    async fn open(&self, group: &StoredGroup) -> Result<GroupText, DirectoryError> {
        let Caller { scoped, base_url, tenant, state, .. } = &*self.caller;
        let read = scoped.member_text(&group.id, names(&self.projection));
        let members = tokio::time::timeout(state.limits.request_timeout, read)
            .await
            .unwrap_or(Err(DirectoryError::TooExpensive))?;
        let of = &tenant.schemas.group;
        Ok(GroupText::new(group, members, base_url, &self.projection, of))
    }
}

struct Writing {
    list: ListText,
    head: String,
    tail: String,
    group: Option<GroupText>,
    first: bool,
}

impl Writing {
    async fn next(&mut self) -> Result<Option<String>, DirectoryError> {
        let mut text = std::mem::take(&mut self.head);
        // Small resources share a piece.
        while text.len() < PIECE {
            if let Some(piece) = self.group.as_mut().and_then(GroupText::piece) {
                text.push_str(&piece);
                continue;
            }
            let Some(resource) = self.list.resources.pop_front() else {
                text.push_str(&std::mem::take(&mut self.tail));
                break;
            };
            if !std::mem::take(&mut self.first) {
                text.push(',');
            }
            match resource {
                Shown::Text(resource) => text.push_str(&resource),
                Shown::Group(group) => self.group = Some(self.list.open(&group).await?),
            }
        }
        Ok((!text.is_empty()).then_some(text))
    }
}

#[cfg(test)]
mod tests;
