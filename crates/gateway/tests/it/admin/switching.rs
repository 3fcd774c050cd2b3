//! The guided way from one population to the other, as an operator and an identity provider go it.

use super::api::{Api, Reply};
use crate::support::tenant::TestTenant;
use crate::support::{TestGateway, by, place};
use gateway::jobs::switch::{self, Told};
use region_router::Population;
use serde_json::{Value, json};
use std::time::Duration;

struct Way {
    gateway: TestGateway,
    api: Api,
    acme: TestTenant,
    at: String,
}

impl Way {
    async fn new() -> Self {
        let gateway = TestGateway::start().await;
        let (api, acme) = (Api::of(&gateway), gateway.tenant("acme").await);
        let at = format!("/admin/v1/tenants/{}", acme.tenant.id);
        Self { gateway, api, acme, at }
    }

    /// A step, which leads to this stage and population.
    async fn step(&self, name: &str, body: Option<Value>, then: (&str, &str)) -> Reply {
        let call = self.api.call("POST", &format!("{}/population-switch/{name}", self.at));
        let call = match body {
            Some(body) => call.json(&body),
            None => call,
        };
        let reply = call.send().await.assert(200);
        assert_eq!((reply.text("stage").as_str(), reply.text("population").as_str()), then);
        assert_eq!(self.state().await, (then.0.to_owned(), then.1.to_owned()));
        reply
    }

    async fn cut_over(&self) {
        self.step("freeze", Some(json!({ "to": "board" })), ("frozen", "platform")).await;
        self.step("cut-over", None, ("cut_over", "board")).await;
    }

    async fn state(&self) -> (String, String) {
        let reply = self.api.get(&format!("{}/population-switch", self.at)).await.assert(200);
        (reply.text("stage"), reply.text("population"))
    }

    /// The tenant as the identity provider of the board calls it, with a token that the API made.
    async fn board(&self) -> TestTenant {
        let made = self.api.post(&format!("{}/tokens", self.at), &json!({ "name": "Board" })).await;
        let token = made.assert(201).text("token");
        let place = place("us", Population::Board);
        let host = self.gateway.state.hosts.host(&place);
        let base_url = self.gateway.state.hosts.base_url(&place);
        TestTenant { token, host, base_url, ..self.acme.clone() }
    }

    /// What the job does a minute later.
    async fn end(&self) {
        let later = by().now + Duration::from_mins(1);
        assert!(switch::finish(&self.gateway.state, &Told::default(), later).await);
    }

    /// Whether a person is active, as an operator sees it.
    async fn is_active(&self, population: &str, user: &str) -> bool {
        let path = format!("{}/users/{user}?population={population}", self.at);
        self.api.get(&path).await.assert(200).body["active"].as_bool().unwrap()
    }
}

#[actix_web::test]
async fn a_tenant_is_switched_undone_and_switched_for_good() {
    let way = Way::new().await;
    let ada = way.acme.user("ada").await;
    way.cut_over().await;
    let rest = way.acme.get("/Users").await;
    let said = rest.refused(403, "population_conflict", None);
    assert!(said.contains("Use the base URL and a token of board"), "{said}");

    let board = way.board().await;
    let bob = board.user("bob").await;
    // The way back: the first population is served at once, and whoever came in the other one goes.
    way.step("undo", None, ("undoing", "platform")).await;
    way.acme.get(&format!("/Users/{ada}")).await.assert(200);
    way.acme.user("grace").await;
    board.get("/Users").await.refused(403, "population_conflict", None);
    assert!(way.is_active("board", &bob).await);
    let again = way.step("undo", None, ("undoing", "platform")).await;
    let version = again.version();
    assert_eq!(way.step("undo", None, ("undoing", "platform")).await.version(), version);
    let path = format!("{}/population-switch/finish", way.at);
    way.api.act(&path).await.refused(409, "state_conflict");
    way.end().await;
    assert_eq!(way.state().await, ("none".to_owned(), "platform".to_owned()));
    assert!(!way.is_active("board", &bob).await);
    assert!(way.is_active("platform", &ada).await);
    board.get("/Users").await.refused(401, "token_revoked", None);
    way.acme.get("/Users").await.assert(200);

    // And once more, to the end.
    way.cut_over().await;
    let board = way.board().await;
    let back = json!([{ "op": "replace", "value": { "active": true } }]);
    board.patch(&format!("/Users/{bob}"), &back).await.assert(200);
    board.user("eve").await;
    way.step("finish", None, ("finishing", "board")).await;
    let path = format!("{}/population-switch/undo", way.at);
    way.api.act(&path).await.refused(409, "state_conflict");
    way.end().await;
    assert_eq!(way.state().await, ("none".to_owned(), "board".to_owned()));
    assert!(!way.is_active("platform", &ada).await && way.is_active("board", &bob).await);
    board.get("/Users").await.assert(200);
    way.acme.get("/Users").await.refused(401, "token_revoked", None);
}

#[actix_web::test]
async fn nothing_is_made_while_it_is_frozen_and_both_populations_leave_nothing_to_switch() {
    let way = Way::new().await;
    let both = |both: bool| json!({ "both_populations": both });
    way.api.patch(&way.at, &both(true)).await.assert(200);
    let (freeze, to) = (format!("{}/population-switch/freeze", way.at), json!({ "to": "board" }));
    let said = way.api.post(&freeze, &to).await.refused(409, "population_conflict");
    assert!(said.contains("take both_populations back first"), "{said}");
    let tokens = format!("{}/tokens", way.at);
    let asked = json!({ "name": "Board", "population": "board" });
    let token = way.api.post(&tokens, &asked).await.assert(201).body["id"].clone();
    let said = way.api.patch(&way.at, &both(false)).await.refused(409, "population_conflict");
    assert!(said.contains("1 live tokens and OAuth clients for board"), "{said}");
    let token =
        token.as_str().map_or_else(|| panic!("a token has an id"), |id| format!("{tokens}/{id}"));
    way.api.delete(&token).await.assert(200);
    way.api.patch(&way.at, &both(false)).await.assert(200);

    way.step("freeze", Some(to), ("frozen", "platform")).await;
    let said = way.api.post(&tokens, &json!({ "name": "x" })).await.refused(409, "state_conflict");
    assert!(said.contains("cut the switch over, or undo it"), "{said}");
    way.api.patch(&way.at, &both(true)).await.refused(409, "state_conflict");
    way.step("undo", None, ("none", "platform")).await;
    way.api.post(&tokens, &json!({ "name": "x" })).await.assert(201);
}

#[actix_web::test]
async fn a_closed_tenant_says_what_to_do_first_and_one_whose_purge_has_begun_that_there_is_no_way_back()
 {
    let way = Way::new().await;
    way.api.act(&format!("{}/close", way.at)).await.assert(200);
    let tokens = format!("{}/tokens", way.at);
    let said = way.api.post(&tokens, &json!({ "name": "x" })).await.refused(409, "state_conflict");
    assert_eq!(said, "The tenant is closed: resume it first.");
    let (registry, by) = (&way.gateway.state.registry, by());
    let begun = registry.begin_purge(&way.acme.tenant.id, by.now, &by).await.unwrap();
    begun.commit().await.unwrap();
    let resumed = way.api.act(&format!("{}/resume", way.at)).await;
    let said = resumed.refused(409, "state_conflict");
    assert_eq!(said, "The tenant is purging: its data is deleted, and there is no way back.");
    assert_eq!(way.api.get(&way.at).await.text("state"), "purging");
    way.acme.get("/Users").await.refused(401, "token_unknown", None);
}
