//! Rendering what is stored: the document is passed through as text, and parsed only when attributes are chosen.
//!
//! **Invariant**: `id`, `meta`, `groups` and `members` come from the store and the configuration, never from a client.

use directory::{StoredGroup, StoredMember, StoredUser};
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
    let text = resource(&user.id, &user.doc, groups, &meta);
    project(text, projection, of)
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
    let location = format!("{base_url}/Groups/{}", group.id);
    let meta = Meta {
        resource_type: "Group",
        created: group.created_at,
        last_modified: group.updated_at,
        version: group.version,
        location: &location,
    };
    let list = (!members.is_empty()).then(|| member_list(members, base_url));
    let list = list.as_deref().map(|list| ("members", list));
    let text = resource(&group.id, &group.doc, list, &meta);
    project(text, projection, of)
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
