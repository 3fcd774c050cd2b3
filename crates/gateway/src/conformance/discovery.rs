//! The discovery documents: RFC 7643 §5 to §7 and RFC 7644 §4.

use super::check::{Verdict, checks, unmet};
use super::exchange::Exchange;
use super::json::{at, encoded, items, lists, text};
use super::session::Session;
use super::target::{GROUP, USER};
use reqwest::Method;
use serde_json::Value;

const CONFIG_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
const TYPE_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
const SCHEMA_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";
const LIST_URN: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

checks! {
    "7643-5-served" Must [] "GET /ServiceProviderConfig answers 200 with the schema's URN" => config_served,
    "7643-5-features" Must [] "patch, changePassword, sort and etag each have a boolean `supported`" => config_features,
    "7643-5-bulk" Must [] "bulk has supported, maxOperations and maxPayloadSize, typed" => config_bulk,
    "7643-5-filter" Must [] "filter has supported and maxResults, typed" => config_filter,
    "7643-5-authentication" Must [] "authenticationSchemes is a list; each has type, name and description" => config_schemes,
    "7643-5-cacheable" Should [] "ServiceProviderConfig has meta with its location and resource type" => config_meta,
    "7643-6-required" Must [] "each resource type has name, endpoint and schema" => types_required,
    "7643-6-urn" Must [] "each resource type names the ResourceType schema" => types_urn,
    "7643-6-extensions" Must [] "each schema extension has schema (text) and required (boolean)" => types_extensions,
    "7643-6-schemas-known" Must [] "the schemas that resource types name are in /Schemas" => types_known,
    "7643-6-endpoints-work" Must [] "the endpoint of each resource type answers" => types_work,
    "7643-7-ids" Must [] "each schema's id is a URI, none twice" => schema_ids,
    "7643-7-attributes" Must [] "every attribute has name, type and multiValued, typed" => schema_attributes,
    "7643-7-types" Must [] "attribute types are those of the RFC" => schema_types,
    "7643-7-keywords" Must [] "mutability, returned and uniqueness are the RFC's keywords; required and caseExact are booleans" => schema_keywords,
    "7643-7-names" Must [] "attribute names are letters, digits, hyphens, underscores; `$ref` apart" => schema_names,
    "7643-7-complex" Must [] "complex attributes have subAttributes that are not complex themselves" => schema_complex,
    "7643-7-references" Must [] "attributes of type reference have referenceTypes" => schema_references,
    "7643-7-canonical" Must [] "canonical values, where there are any, are a list" => schema_canonical,
    "7643-8.7-user" Must [User] "the User schema has userName: required, readWrite, unique, caseExact false" => schema_user,
    "7643-8.7-group" Must [Group] "the Group schema has displayName and members" => schema_group,
    "7644-4-types-list" Must [] "GET /ResourceTypes answers a ListResponse" => types_list,
    "7644-4-schemas-list" Must [] "GET /Schemas answers a ListResponse" => schemas_list,
    "7644-4-type-single" Must [] "GET /ResourceTypes/{name} answers that resource type" => type_single,
    "7644-4-schema-single" Must [] "GET /Schemas/{urn} answers that schema" => schema_single,
    "7644-4-unknown" Must [] "an unknown schema or resource type is 404 with an error body" => unknown,
    "7644-4-filter-forbidden" Should [] "a filter on a discovery endpoint is 403" => filter_forbidden,
    "7644-4-parameters-ignored" Must [] "attributes, sorting and paging on discovery endpoints are ignored" => parameters_ignored,
    "7644-4-read-only" Must [] "discovery endpoints refuse writes with 4xx or 501" => read_only,
    "7644-4-media-type" Must [] "discovery answers are application/scim+json" => media_type,
}

async fn config(session: &Session) -> Verdict<Exchange> {
    let answer = session.get("/ServiceProviderConfig").await?;
    answer.status(&[200])?.wants(answer.body.is_object(), "the body is no JSON object")?;
    Ok(answer)
}

async fn list(session: &Session, path: &str) -> Verdict<(Exchange, Vec<Value>)> {
    let answer = session.get(path).await?;
    answer.status(&[200])?;
    let found = items(&answer.body, "/Resources").to_vec();
    let whole = !found.is_empty() && found.iter().all(Value::is_object);
    answer.wants(whole, "`Resources` is empty, or holds something else than objects")?;
    Ok((answer, found))
}

async fn config_served(session: &Session) -> Verdict {
    let answer = config(session).await?;
    answer.wants(lists(&answer.body, "/schemas", CONFIG_URN), "schemas lacks its URN")?;
    Ok(())
}

fn typed(answer: &Exchange, path: &str, good: fn(&Value) -> bool, kind: &str) -> Verdict {
    let value = at(&answer.body, path);
    answer.wants(good(value), format!("{path} is {value} and must be {kind}"))?;
    Ok(())
}

async fn config_features(session: &Session) -> Verdict {
    let answer = config(session).await?;
    for feature in ["patch", "changePassword", "sort", "etag"] {
        typed(&answer, &format!("/{feature}/supported"), Value::is_boolean, "a boolean")?;
    }
    Ok(())
}

async fn config_bulk(session: &Session) -> Verdict {
    let answer = config(session).await?;
    typed(&answer, "/bulk/supported", Value::is_boolean, "a boolean")?;
    typed(&answer, "/bulk/maxOperations", Value::is_u64, "an integer")?;
    typed(&answer, "/bulk/maxPayloadSize", Value::is_u64, "an integer")
}

async fn config_filter(session: &Session) -> Verdict {
    let answer = config(session).await?;
    typed(&answer, "/filter/supported", Value::is_boolean, "a boolean")?;
    typed(&answer, "/filter/maxResults", Value::is_u64, "an integer")
}

async fn config_schemes(session: &Session) -> Verdict {
    let answer = config(session).await?;
    typed(&answer, "/authenticationSchemes", Value::is_array, "a list")?;
    for (index, _) in items(&answer.body, "/authenticationSchemes").iter().enumerate() {
        for name in ["type", "name", "description"] {
            let path = format!("/authenticationSchemes/{index}/{name}");
            typed(&answer, &path, Value::is_string, "text")?;
        }
    }
    Ok(())
}

async fn config_meta(session: &Session) -> Verdict {
    let answer = config(session).await?;
    answer.present("/meta/location")?;
    answer.has("/meta/resourceType", &"ServiceProviderConfig".into())?;
    Ok(())
}

async fn types_required(session: &Session) -> Verdict {
    let (answer, types) = list(session, "/ResourceTypes").await?;
    for kind in &types {
        for name in ["name", "endpoint", "schema"] {
            let there = !text(kind, name).is_empty();
            answer.wants(there, format!("a resource type has no {name}: {kind}"))?;
        }
    }
    Ok(())
}

async fn types_urn(session: &Session) -> Verdict {
    let (answer, types) = list(session, "/ResourceTypes").await?;
    for kind in &types {
        let named = lists(kind, "/schemas", TYPE_URN);
        answer.wants(named, format!("schemas of {} lacks {TYPE_URN}", text(kind, "/name")))?;
    }
    Ok(())
}

async fn types_extensions(session: &Session) -> Verdict {
    let (answer, types) = list(session, "/ResourceTypes").await?;
    for extension in types.iter().flat_map(|kind| items(kind, "/schemaExtensions")) {
        let good =
            !text(extension, "/schema").is_empty() && at(extension, "/required").is_boolean();
        answer.wants(good, format!("an extension is not complete: {extension}"))?;
    }
    Ok(())
}

async fn types_known(session: &Session) -> Verdict {
    let (_, types) = list(session, "/ResourceTypes").await?;
    let (answer, schemas) = list(session, "/Schemas").await?;
    for kind in &types {
        let extensions = items(kind, "/schemaExtensions").iter().map(|e| text(e, "/schema"));
        for urn in std::iter::once(text(kind, "/schema")).chain(extensions) {
            let known = schemas.iter().any(|s| text(s, "/id").eq_ignore_ascii_case(urn));
            answer.wants(known, format!("/ResourceTypes names {urn}, /Schemas has no such id"))?;
        }
    }
    Ok(())
}

async fn types_work(session: &Session) -> Verdict {
    let (_, types) = list(session, "/ResourceTypes").await?;
    for kind in &types {
        let path = session.target().endpoint(text(kind, "/name"));
        let answer = session.get(&format!("{path}?count=1")).await?;
        let own = [CONFIG_URN, TYPE_URN, SCHEMA_URN];
        if own.iter().any(|urn| text(kind, "/schema").eq_ignore_ascii_case(urn)) {
            answer.succeeded()?;
            continue;
        }
        answer.status(&[200])?;
        answer.wants(lists(&answer.body, "/schemas", LIST_URN), "the answer is no ListResponse")?;
    }
    Ok(())
}

async fn schema_ids(session: &Session) -> Verdict {
    let (answer, schemas) = list(session, "/Schemas").await?;
    let mut seen: Vec<String> = Vec::new();
    for schema in &schemas {
        let id = text(schema, "/id").to_ascii_lowercase();
        answer.wants(id.contains(':'), format!("{id:?} is no URI"))?;
        answer.wants(!seen.contains(&id), format!("{id} is there twice"))?;
        seen.push(id);
    }
    Ok(())
}

/// Every attribute and sub-attribute of every schema.
fn every(schemas: &[Value]) -> impl Iterator<Item = (&Value, bool)> {
    schemas.iter().flat_map(|schema| items(schema, "/attributes")).flat_map(|attribute| {
        let inner = items(attribute, "/subAttributes").iter().map(|sub| (sub, true));
        std::iter::once((attribute, false)).chain(inner)
    })
}

/// Asks one thing of every attribute.
async fn all(session: &Session, what: &str, good: fn(&Value, bool) -> bool) -> Verdict {
    let (answer, schemas) = list(session, "/Schemas").await?;
    answer.wants(every(&schemas).next().is_some(), "the schemas have no attributes")?;
    for (attribute, inner) in every(&schemas) {
        answer.wants(good(attribute, inner), format!("{what}: {}", text(attribute, "/name")))?;
    }
    Ok(())
}

async fn schema_attributes(session: &Session) -> Verdict {
    all(session, "name, type or multiValued is missing or not of its type", |one, _| {
        !text(one, "/name").is_empty()
            && !text(one, "/type").is_empty()
            && at(one, "/multiValued").is_boolean()
    })
    .await
}

async fn schema_types(session: &Session) -> Verdict {
    const TYPES: [&str; 8] =
        ["string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"];
    all(session, "the type is none of the RFC's", |one, _| TYPES.contains(&text(one, "/type")))
        .await
}

async fn schema_keywords(session: &Session) -> Verdict {
    fn is_one_of(one: &Value, name: &str, words: &[&str]) -> bool {
        let value = at(one, name);
        value.is_null() || value.as_str().is_some_and(|word| words.contains(&word))
    }
    all(session, "a characteristic is not one of the RFC's words", |one, _| {
        is_one_of(one, "/mutability", &["readOnly", "readWrite", "immutable", "writeOnly"])
            && is_one_of(one, "/returned", &["always", "never", "default", "request"])
            && is_one_of(one, "/uniqueness", &["none", "server", "global"])
            && ["/required", "/caseExact"].iter().all(|name| {
                let value = at(one, name);
                value.is_null() || value.is_boolean()
            })
    })
    .await
}

async fn schema_names(session: &Session) -> Verdict {
    all(session, "not a name of RFC 7643 §2.1", |one, _| {
        let name = text(one, "/name");
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        name == "$ref"
            || name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(plain)
    })
    .await
}

async fn schema_complex(session: &Session) -> Verdict {
    all(session, "complex without subAttributes, or complex within complex", |one, inner| {
        // The Schema schema describes itself: `attributes` there holds `subAttributes`, by §8.7.2.
        let own = ["subAttributes", "attributes"].contains(&text(one, "/name"));
        own || text(one, "/type") != "complex"
            || (!inner && !items(one, "/subAttributes").is_empty())
    })
    .await
}

async fn schema_references(session: &Session) -> Verdict {
    all(session, "no referenceTypes", |one, _| {
        text(one, "/type") != "reference" || !items(one, "/referenceTypes").is_empty()
    })
    .await
}

async fn schema_canonical(session: &Session) -> Verdict {
    all(session, "canonicalValues is no list of texts", |one, _| {
        let values = at(one, "/canonicalValues");
        values.is_null() || values.as_array().is_some_and(|all| all.iter().all(Value::is_string))
    })
    .await
}

async fn schema_user(session: &Session) -> Verdict {
    let (answer, schemas) = list(session, "/Schemas").await?;
    let schema = schemas.iter().find(|s| text(s, "/id").eq_ignore_ascii_case(USER));
    let Some(schema) = schema else { return answer.unmet("there is no User schema") };
    let name = super::json::item(schema, "/attributes", "/name", "userName");
    answer.wants(name.is_object(), "the User schema has no userName")?;
    answer.wants(at(name, "/required") == &Value::Bool(true), "userName is not required")?;
    answer.wants(at(name, "/caseExact") == &Value::Bool(false), "userName is caseExact")?;
    let unique = ["server", "global"].contains(&text(name, "/uniqueness"));
    answer.wants(unique, "userName is not unique")?;
    Ok(())
}

async fn schema_group(session: &Session) -> Verdict {
    let (answer, schemas) = list(session, "/Schemas").await?;
    let schema = schemas.iter().find(|s| text(s, "/id").eq_ignore_ascii_case(GROUP));
    let Some(schema) = schema else { return answer.unmet("there is no Group schema") };
    for name in ["displayName", "members"] {
        let found = super::json::item(schema, "/attributes", "/name", name);
        answer.wants(found.is_object(), format!("the Group schema has no {name}"))?;
    }
    Ok(())
}

async fn is_list(session: &Session, path: &str) -> Verdict {
    let (answer, found) = list(session, path).await?;
    answer.wants(lists(&answer.body, "/schemas", LIST_URN), "schemas lacks ListResponse")?;
    let total = at(&answer.body, "/totalResults").as_u64();
    let count = u64::try_from(found.len()).unwrap_or(u64::MAX);
    answer
        .wants(total.is_some_and(|total| total >= count), "totalResults is missing or too low")?;
    Ok(())
}

async fn types_list(session: &Session) -> Verdict {
    is_list(session, "/ResourceTypes").await
}

async fn schemas_list(session: &Session) -> Verdict {
    is_list(session, "/Schemas").await
}

async fn type_single(session: &Session) -> Verdict {
    let (_, types) = list(session, "/ResourceTypes").await?;
    for kind in &types {
        let name = text(kind, "/name");
        let answer = session.get(&format!("/ResourceTypes/{}", encoded(name))).await?;
        answer.status(&[200])?.has("/name", &name.into())?;
    }
    Ok(())
}

async fn schema_single(session: &Session) -> Verdict {
    let (_, schemas) = list(session, "/Schemas").await?;
    for schema in &schemas {
        let urn = text(schema, "/id");
        let answer = session.get(&format!("/Schemas/{urn}")).await?;
        answer.status(&[200])?.has("/id", &urn.into())?.present("/attributes")?;
    }
    Ok(())
}

async fn unknown(session: &Session) -> Verdict {
    // Without the lists themselves a 404 would say nothing.
    list(session, "/Schemas").await?;
    for path in ["/Schemas/urn:example:nothing:2.0:Here", "/ResourceTypes/NothingHere"] {
        session.get(path).await?.refused(&[404])?;
    }
    Ok(())
}

async fn filter_forbidden(session: &Session) -> Verdict {
    for path in ["/ServiceProviderConfig", "/ResourceTypes", "/Schemas"] {
        let filter = encoded("id pr");
        session.get(&format!("{path}?filter={filter}")).await?.refused(&[403])?;
    }
    Ok(())
}

async fn parameters_ignored(session: &Session) -> Verdict {
    for path in ["/ResourceTypes", "/Schemas"] {
        let (_, all) = list(session, path).await?;
        let asked = format!("{path}?attributes=name&sortBy=name&sortOrder=descending&count=0");
        let answer = session.get(&asked).await?;
        let same = items(&answer.body, "/Resources").len() == all.len();
        answer.status(&[200])?.wants(same, "the parameters changed the list")?;
    }
    Ok(())
}

async fn read_only(session: &Session) -> Verdict {
    let (_, types) = list(session, "/ResourceTypes").await?;
    let Some(first) = types.first() else { return unmet("there are no resource types") };
    let path = format!("/ResourceTypes/{}", encoded(text(first, "/name")));
    for (method, path) in [
        (Method::PUT, "/ServiceProviderConfig"),
        (Method::DELETE, "/ServiceProviderConfig"),
        (Method::POST, "/Schemas"),
        (Method::PUT, path.as_str()),
    ] {
        let body = serde_json::json!({ "schemas": [CONFIG_URN] });
        let answer = session.call(method, path).json(&body).send().await?;
        let refused = (400..500).contains(&answer.status) || answer.status == 501;
        answer.wants(refused, format!("status {} instead of a refusal", answer.status))?;
    }
    Ok(())
}

async fn media_type(session: &Session) -> Verdict {
    super::http::is_scim(&config(session).await?)?.present("/patch")?;
    for path in ["/ResourceTypes", "/Schemas"] {
        super::http::is_scim(&list(session, path).await?.0)?;
    }
    Ok(())
}
