//! Rendering what is stored: the document is passed through as text, and parsed only when attributes are chosen.
//!
//! **Invariant**: `id`, `meta`, `groups` and `members` come from the store and the configuration, never from a client.

use directory::{StoredGroup, StoredManager, StoredMember, StoredUser};
use scim_core::schema::builtin::ENTERPRISE_USER;
use scim_core::{Meta, Projection, ResourceType};
use serde_json::{Map, Value, json};

/// A user as JSON.
#[must_use]
#[tracing::instrument(name = "scim.user.render", skip_all)]
pub fn user(
    user: &StoredUser,
    base_url: &str,
    projection: &Projection,
    of: &ResourceType,
) -> String {
    let location = format!("{base_url}/Users/{}", user.id);
    let meta = Meta {
        resource_type: "User",
        created: user.created_at,
        last_modified: user.updated_at,
        version: user.version,
        location: &location,
    };
    let groups = user.groups.as_deref().map(|groups| ("groups", groups));
    let named = user.manager.as_ref().and_then(|manager| named(&user.doc, manager, base_url));
    let doc = named.as_deref().unwrap_or(&user.doc);
    let text = resource(&user.id, doc, groups, &meta);
    project(text, projection, of)
}

/// The document with the manager's name and address (RFC 7643 §4.3), which follow from the id.
fn named(doc: &str, manager: &StoredManager, base_url: &str) -> Option<String> {
    // A name in quotes before a brace is a key: within a text its quotes are escaped.
    let extension = doc.find(&format!("\"{ENTERPRISE_USER}\":{{"))?;
    let key = "\"manager\":";
    let at = extension + doc.get(extension..)?.find(&format!("{key}{{"))? + key.len();
    let mut values = serde_json::Deserializer::from_str(doc.get(at..)?).into_iter();
    let mut value: Map<String, Value> = values.next()?.ok()?;
    let end = at + values.byte_offset();
    value.insert("$ref".into(), format!("{base_url}/Users/{}", manager.id).into());
    value.insert("displayName".into(), manager.display.as_str().into());
    Some(format!("{}{}{}", doc.get(..at)?, Value::Object(value), doc.get(end..)?))
}

/// A group as JSON; `members` is empty where they are not wanted.
#[must_use]
#[tracing::instrument(name = "scim.group.render", skip_all)]
pub fn group(
    group: &StoredGroup,
    members: &[StoredMember],
    base_url: &str,
    projection: &Projection,
    of: &ResourceType,
) -> String {
    let list = (!members.is_empty()).then(|| member_list(members, base_url));
    project(group_around(group, list.as_deref(), base_url), projection, of)
}

/// A group as JSON around a text in the place of its members.
pub(super) fn group_around(group: &StoredGroup, members: Option<&str>, base_url: &str) -> String {
    let location = format!("{base_url}/Groups/{}", group.id);
    let meta = Meta {
        resource_type: "Group",
        created: group.created_at,
        last_modified: group.updated_at,
        version: group.version,
        location: &location,
    };
    let list = members.map(|list| ("members", list));
    resource(&group.id, &group.doc, list, &meta)
}

fn member_list(members: &[StoredMember], base_url: &str) -> String {
    let mut text = String::with_capacity(members.len() * 200);
    for member in members {
        text.push(if text.is_empty() { '[' } else { ',' });
        let endpoint = if member.kind == "Group" { "Groups" } else { "Users" };
        let mut value = json!({
            "value": member.id,
            "$ref": format!("{base_url}/{endpoint}/{}", member.id),
            "type": member.kind,
        });
        if let (Some(display), Some(map)) = (&member.display, value.as_object_mut()) {
            map.insert("display".into(), Value::from(display.as_str()));
        }
        text.push_str(&value.to_string());
    }
    text.push(']');
    text
}

/// `{"id":…, the document, one computed list, "meta":…}`.
fn resource(id: &str, doc: &str, list: Option<(&str, &str)>, meta: &Meta<'_>) -> String {
    let inner = doc.strip_prefix('{').and_then(|doc| doc.strip_suffix('}')).unwrap_or_default();
    let meta = meta.to_json();
    let extra = list.map_or(0, |(name, list)| name.len() + list.len() + 4);
    let mut text = String::with_capacity(inner.len() + meta.len() + extra + 64);
    text.push_str("{\"id\":\"");
    text.push_str(id);
    text.push_str("\",");
    text.push_str(inner);
    if let Some((name, list)) = list {
        text.push_str(",\"");
        text.push_str(name);
        text.push_str("\":");
        text.push_str(list);
    }
    text.push_str(",\"meta\":");
    text.push_str(&meta);
    text.push('}');
    text
}

fn project(text: String, projection: &Projection, of: &ResourceType) -> String {
    if projection.everything() && !of.hides {
        return text;
    }
    match serde_json::from_str::<Map<String, Value>>(&text) {
        Ok(mut map) => {
            projection.apply(&mut map, of);
            Value::Object(map).to_string()
        }
        // What the store holds was written by this program as JSON.
        Err(_unreachable) => text,
    }
}
