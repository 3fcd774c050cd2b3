//! Declared attributes among those of the RFC.

use super::{Custom, CustomAttribute};
use crate::path::AttrPath;
use crate::schema::{
    Attribute, Handling, Kind, ResourceType, Returned, Schema, Schemas, Uniqueness,
};

impl Schemas {
    /// These, with what the tenant declares.
    #[must_use]
    pub fn with(&self, custom: &Custom) -> Schemas {
        let mut schemas = self.clone();
        let extensions = &mut schemas.user.extensions;
        let there =
            extensions.iter().position(|schema| schema.id.eq_ignore_ascii_case(&custom.urn));
        let place = there.unwrap_or_else(|| {
            extensions.push(Schema {
                id: custom.urn.clone(),
                name: "Own attributes".into(),
                description: "Attributes that the organization declared".into(),
                attributes: Vec::new(),
            });
            extensions.len() - 1
        });
        let hidden =
            |a: &CustomAttribute| a.returned != Returned::Default && a.returned != Returned::Always;
        if let Some(schema) = extensions.get_mut(place) {
            for declared in &custom.attributes {
                if schema.attribute(&declared.name).is_none() {
                    schema.attributes.push(declared.attribute());
                }
            }
        }
        schemas.user.hides |= custom.attributes.iter().any(hidden);
        schemas
    }

    /// These, with attributes of a user that the tenant's profile requires: `name.givenName`, or a value path such as
    /// `emails[type eq "work"].value`, which requires the list.
    ///
    /// The profile judges them; here they are announced.
    #[must_use]
    pub fn requiring(&self, paths: &[&str]) -> Schemas {
        let mut schemas = self.clone();
        for path in paths {
            let (path, is_whole) = match path.split_once('[') {
                Some((list, _)) => (list, true),
                None => (*path, false),
            };
            let Some(path) = AttrPath::parse(path) else { continue };
            let Some(attribute) = find(&mut schemas.user, &path) else { continue };
            require(attribute);
            let sub = path.sub.as_deref().filter(|_| !is_whole);
            let part = sub.and_then(|sub| {
                attribute.sub_attributes.iter_mut().find(|a| a.name.eq_ignore_ascii_case(sub))
            });
            part.map(require);
        }
        schemas
    }
}

fn require(attribute: &mut Attribute) {
    if !attribute.required {
        attribute.required = true;
        attribute.handling.judged_later = true;
    }
}

fn find<'a>(of: &'a mut ResourceType, path: &AttrPath) -> Option<&'a mut Attribute> {
    let core = match &path.urn {
        Some(urn) if !urn.eq_ignore_ascii_case(&of.core.id) => {
            let extension = of.extensions.iter_mut().find(|s| s.id.eq_ignore_ascii_case(urn))?;
            return extension
                .attributes
                .iter_mut()
                .find(|a| a.name.eq_ignore_ascii_case(&path.name));
        }
        _ => of.core.attributes.iter_mut(),
    };
    of.common.iter_mut().chain(core).find(|a| a.name.eq_ignore_ascii_case(&path.name))
}

impl CustomAttribute {
    fn attribute(&self) -> Attribute {
        let reference_types = match self.kind {
            Kind::Reference => vec!["external".to_owned()],
            _ => Vec::new(),
        };
        let description = match self.description.as_str() {
            "" => "An attribute that the organization declared",
            text => text,
        };
        Attribute {
            name: self.name.clone(),
            kind: self.kind,
            multi_valued: self.multi_valued,
            description: description.to_owned(),
            required: self.required,
            case_exact: self.case_exact,
            mutability: self.mutability,
            returned: self.returned,
            uniqueness: Uniqueness::None,
            canonical_values: self.canonical_values.clone(),
            reference_types,
            sub_attributes: Vec::new(),
            handling: Handling::default(),
        }
    }
}
