//! What an identity provider does: calls with one tenant's token.

use super::answer::Answer;
use actix_web::web::Data;
use directory::{DecisionQuery, DecisionRow, Scoped};
use gateway::state::State;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use tenant_registry::Tenant;

/// A tenant with its token and its host.
#[derive(Clone)]
pub(crate) struct TestTenant {
    pub(crate) http: reqwest::Client,
    pub(crate) address: SocketAddr,
    pub(crate) host: String,
    pub(crate) base_url: String,
    pub(crate) token: String,
    pub(crate) key_id: String,
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) state: Data<State>,
}

/// One request in the making.
pub(crate) struct Call {
    request: reqwest::RequestBuilder,
}

impl Call {
    pub(crate) fn new(
        http: &reqwest::Client,
        address: SocketAddr,
        method: &str,
        path: &str,
    ) -> Self {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        Self { request: http.request(method, format!("http://{address}{path}")) }
    }

    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self { request: self.request.header(name, value) }
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/scim+json").body(body.to_string())
    }

    pub(crate) fn body(self, body: impl Into<reqwest::Body>) -> Self {
        Self { request: self.request.body(body) }
    }

    pub(crate) async fn send(self) -> Answer {
        Answer::of(self.request.send().await.unwrap()).await
    }
}

impl TestTenant {
    /// A call below the base URL, with the token.
    pub(crate) fn call(&self, method: &str, path: &str) -> Call {
        let authorization = format!("Bearer {}", self.token);
        self.bare_call(method, path).header("authorization", &authorization)
    }

    /// A call below the base URL without a token.
    pub(crate) fn bare_call(&self, method: &str, path: &str) -> Call {
        Call::new(&self.http, self.address, method, &format!("/scim/v2{path}"))
            .header("host", &self.host)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path).send().await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", path).json(body).send().await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.call("PUT", path).json(body).send().await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path).send().await
    }

    /// A PATCH with these operations.
    pub(crate) async fn patch(&self, path: &str, operations: &Value) -> Answer {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": operations,
        });
        self.call("PATCH", path).json(&body).send().await
    }

    /// A list with a filter.
    pub(crate) async fn find(&self, path: &str, filter: &str) -> Answer {
        self.get(&format!("{path}?filter={}", encoded(filter))).await
    }

    /// Makes a user that has a userName, and gives its id.
    pub(crate) async fn user(&self, user_name: &str) -> String {
        self.user_with(&json!({ "userName": user_name })).await
    }

    pub(crate) async fn user_with(&self, body: &Value) -> String {
        self.post("/Users", body).await.assert(201).id()
    }

    /// Makes a group with these members, and gives its id.
    pub(crate) async fn group(&self, name: &str, members: &[&str]) -> String {
        let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
        let body = json!({ "displayName": name, "members": members });
        self.post("/Groups", &body).await.assert(201).id()
    }

    /// The ids of a group's members, sorted.
    pub(crate) async fn members(&self, group: &str) -> Vec<String> {
        let answer = self.get(&format!("/Groups/{group}")).await.assert(200);
        let mut ids: Vec<String> = answer.body["members"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|member| member["value"].as_str().unwrap().to_owned())
            .collect();
        ids.sort_unstable();
        ids
    }

    /// The tenant's rows in the store.
    pub(crate) fn scoped(&self) -> Scoped {
        self.state.directories.of(&self.tenant).unwrap().within(&self.tenant)
    }

    /// The tenant's decisions, oldest first; those of reads are written a little later.
    pub(crate) async fn decisions(&self) -> Vec<DecisionRow> {
        let query = DecisionQuery { limit: 1_000, ..DecisionQuery::default() };
        let mut rows = self.scoped().decisions_page(&query).await.unwrap();
        rows.reverse();
        rows
    }

    /// The decisions as soon as there are this many.
    pub(crate) async fn decisions_until(&self, count: usize) -> Vec<DecisionRow> {
        super::until("the decisions", async || {
            let rows = self.decisions().await;
            (rows.len() >= count).then_some(rows)
        })
        .await
    }
}

/// Text as it stands in a query (RFC 3986 §2.1).
pub(crate) fn encoded(text: &str) -> String {
    let one = |byte: u8| {
        if byte.is_ascii_alphanumeric() {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(one).collect()
}
