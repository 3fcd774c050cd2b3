//! Keys of a POST or PUT body that are paths with a filter: `emails[type eq "work"].value`.
//!
//! As PATCH has them without a path: the value goes into the element that the brackets choose, or makes it.

use super::apply::Draft;
use super::{At, Operation, PatchLimits, Verb};
use crate::document::Document;
use crate::error::ScimError;
use crate::filter::{FilterLimits, ValuePath};
use crate::path::{AttrPath, Named, resolve};
use crate::quirk::{Notes, Tolerance};
use crate::schema::ResourceType;
use serde_json::{Map, Value};

/// What the key is a path to, if it is one with a filter. Not so to the core attribute `aside`, which no document holds.
pub(crate) fn chooses<'a>(
    key: &str,
    of: &'a ResourceType,
    aside: Option<&str>,
) -> Option<Named<'a>> {
    let (name, _) = key.split_once('[')?;
    let named = resolve(&AttrPath::parse(name)?, of)?;
    // Whether it can be read is all that is asked, so nothing of it is noted.
    let (limits, any) = (FilterLimits::default(), Tolerance::default());
    ValuePath::parse(key, &limits, &any, &mut Notes::default()).ok()?;
    (aside != Some(named.attribute.name.as_str())).then_some(named)
}

/// Puts the values under such keys into a document. What the document has already stays.
///
/// # Errors
/// As [`super::PatchRequest::apply`].
pub(crate) fn put_chosen(
    document: &Document,
    chosen: &[(&str, &Value, Named<'_>)],
    of: &ResourceType,
    tolerance: &Tolerance,
    notes: &mut Notes,
) -> Result<Document, ScimError> {
    let limits = PatchLimits { operations: 1, members: 0, filter: FilterLimits::default() };
    let mut draft = Draft::of(document, of, &limits, tolerance, notes);
    for (key, value, named) in chosen {
        let before = at(&mut draft.map, named).cloned();
        let parts = Map::from_iter([((*key).to_owned(), (*value).clone())]);
        draft.run(&Operation { number: 1, verb: Verb::Add, at: At::Resource(parts) })?;
        if let (Some(before), Some(after)) = (before, at(&mut draft.map, named))
            && !is_kept(&before, after)
        {
            *after = before;
        }
    }
    Ok(draft.finish())
}

fn at<'m>(map: &'m mut Map<String, Value>, named: &Named<'_>) -> Option<&'m mut Value> {
    let home = match named.extension {
        None => map,
        Some(schema) => map.get_mut(&schema.id)?.as_object_mut()?,
    };
    home.get_mut(&named.attribute.name)
}

/// Whether everything is there still.
fn is_kept(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Array(before), Value::Array(after)) => {
            before.len() <= after.len() && before.iter().zip(after).all(|(b, a)| is_kept(b, a))
        }
        (Value::Object(before), Value::Object(after)) => before
            .iter()
            .all(|(key, part)| after.get(key).is_some_and(|after| is_kept(part, after))),
        (before, after) => before == after,
    }
}
