use crate::support::{NOW, Store, by, by_at, change, new_credential, presented, revoke, tenant};
use futures_util::future::join_all;
use region_router::Population::{self, Board, Platform};
use std::time::Duration;
use tenant_registry::{
    AuthFailure, By, IssuedCredential, NewCredential, Pending, Registry, RegistryError, Stage,
    Tenant, TenantChange, TenantState,
};

const HOUR: Duration = Duration::from_secs(3_600);

async fn mint(
    registry: &Registry,
    tenant: &Tenant,
    population: Population,
) -> Result<IssuedCredential, RegistryError> {
    let new = NewCredential { population: Some(population), ..new_credential() };
    registry.create_credential(&tenant.id, &new, &by()).await?.commit().await
}

async fn made(pending: Result<Pending<Tenant>, RegistryError>) -> Tenant {
    pending.unwrap().commit().await.unwrap()
}

fn is_conflict<T: std::fmt::Debug>(answer: &Result<T, RegistryError>) {
    assert!(matches!(answer, Err(RegistryError::SwitchConflict)), "{answer:?}");
}

fn both(both: bool) -> TenantChange {
    TenantChange { both_populations: Some(both), ..Default::default() }
}

#[tokio::test]
async fn a_tenant_goes_from_one_population_to_the_other_stage_by_stage() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    let acme = tenant(&here, "acme").await;
    let roles = TenantChange {
        platform_role: Some("seller".to_owned()),
        board_role: Some("reader".to_owned()),
        ..Default::default()
    };
    change(&here, &acme, roles).await;
    let id = &acme.id;
    is_conflict(&here.freeze_switch(id, Platform, &by()).await);
    is_conflict(&here.cut_over(id, HOUR, &by()).await);
    is_conflict(&here.undo_switch(id, &by()).await);

    let frozen = made(here.freeze_switch(id, Board, &by()).await).await;
    assert_eq!((frozen.population, frozen.switch.unwrap().stage), (Platform, Stage::Frozen));
    is_conflict(&here.freeze_switch(id, Board, &by()).await);
    is_conflict(&here.finish_switch(id, &by()).await);
    let cut = made(here.cut_over(id, HOUR, &by()).await).await;
    assert_eq!((cut.population, cut.origin), (Board, Platform));
    assert_eq!(cut.switch.unwrap().undo_until, Some(NOW + HOUR));
    assert_eq!((cut.role_of(Board), cut.role_of(Platform)), ("reader", "seller"));
    assert_eq!(cut.scope_key(Platform), id.as_str());
    is_conflict(&here.end_switch(id, &by()).await);
    let finishing = made(here.finish_switch(id, &by()).await).await;
    assert_eq!(finishing.switch.unwrap().stage, Stage::Finishing);
    is_conflict(&here.undo_switch(id, &by()).await);
    let ended = made(here.end_switch(id, &by()).await).await;
    assert_eq!((ended.population, ended.origin, ended.switch), (Board, Platform, None));
    assert_eq!(there.find_tenant("acme").await.unwrap(), Some(ended));

    let actions = there.audit(Some(id), 4).await.unwrap();
    let actions: Vec<_> = actions.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["switch.freeze", "switch.cut_over", "switch.finish", "switch.end"]);
    store.remove().await;
}

#[tokio::test]
async fn tokens_of_the_population_that_is_left_rest_until_the_way_back() {
    let store = Store::new().await;
    let (here, there) = (store.node().await, store.node().await);
    let acme = tenant(&here, "acme").await;
    let old = presented(&mint(&here, &acme, Platform).await.unwrap());
    let good = |node: &Registry| node.authenticate(&old, NOW).map(|who| who.tenant.population);

    made(here.freeze_switch(&acme.id, Board, &by()).await).await;
    assert_eq!(good(&here), Ok(Platform), "what is frozen can be read");
    made(here.cut_over(&acme.id, HOUR, &by()).await).await;
    let resting = AuthFailure::OtherPopulation { provisions: Board, asked: Platform };
    assert_eq!(good(&here), Err(resting));
    assert!(here.owner(&old).is_some(), "the attempt is in its tenant's log");
    there.refresh().await.unwrap();
    assert_eq!(good(&there), Err(resting));

    let late = here.undo_switch(&acme.id, &by_at(NOW + HOUR + HOUR)).await;
    is_conflict(&late);
    let back = made(here.undo_switch(&acme.id, &by_at(NOW + HOUR)).await).await;
    assert_eq!((back.population, back.switch.unwrap().stage), (Platform, Stage::Undoing));
    there.refresh().await.unwrap();
    for node in [&here, &there] {
        assert_eq!(good(node), Ok(Platform));
    }
    store.remove().await;
}

#[tokio::test]
async fn tokens_are_minted_for_the_tenant_s_population_alone_unless_both_are_allowed() {
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let refused = mint(&registry, &acme, Board).await.unwrap_err();
    let RegistryError::PopulationConflict { tenant: Platform, asked: Board } = refused else {
        panic!("{refused:?}")
    };
    change(&registry, &acme, both(true)).await;
    let board = mint(&registry, &acme, Board).await.unwrap();
    assert!(board.credential.hint.starts_with("mst_eu_bd_"));
    assert_eq!(presented(&board).place().population, Board);
    assert!(registry.authenticate(&presented(&board), NOW).is_ok());
    let refused = registry.change_tenant(&acme.id, &both(false), &by()).await.unwrap_err();
    assert!(
        matches!(refused, RegistryError::PopulationInUse { population: Board, live: 1 }),
        "{refused:?}"
    );
    let refused = registry.freeze_switch(&acme.id, Board, &by()).await.unwrap_err();
    assert!(matches!(refused, RegistryError::BothPopulations), "{refused:?}");
    revoke(&registry, &board.credential, NOW).await;
    change(&registry, &acme, both(false)).await;

    made(registry.freeze_switch(&acme.id, Board, &by()).await).await;
    for population in [Board, Platform] {
        let refused = mint(&registry, &acme, population).await.unwrap_err();
        assert!(matches!(refused, RegistryError::Frozen), "{refused:?}");
    }
    let refused = registry.change_tenant(&acme.id, &both(true), &by()).await.unwrap_err();
    assert!(matches!(refused, RegistryError::Switching), "{refused:?}");
    store.remove().await;
}

#[tokio::test]
async fn of_two_who_freeze_at_once_one_wins() {
    let store = Store::new().await;
    let nodes = [store.node().await, store.node().await];
    let acme = tenant(&nodes[0], "acme").await;
    let all = (0..8)
        .map(async |n| nodes[n % 2].freeze_switch(&acme.id, Board, &by()).await?.commit().await);
    let answers = join_all(all).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    answers.iter().filter(|answer| answer.is_err()).for_each(is_conflict);
    store.remove().await;
}

#[tokio::test]
async fn of_two_who_mint_for_different_populations_at_once_one_wins() {
    let store = Store::new().await;
    let nodes = [store.node().await, store.node().await];
    for slug in ["one", "two", "three", "four"] {
        let acme = tenant(&nodes[0], slug).await;
        let (platform, board) =
            tokio::join!(mint(&nodes[0], &acme, Platform), mint(&nodes[1], &acme, Board));
        assert!(platform.is_ok());
        assert!(matches!(board, Err(RegistryError::PopulationConflict { .. })), "{board:?}");
        assert_eq!(nodes[1].credentials(&acme.id).await.unwrap().len(), 1);
    }
    store.remove().await;
}

#[tokio::test]
async fn who_mints_while_another_switches_gets_a_token_that_is_older_than_the_switch() {
    let store = Store::new().await;
    let nodes = [store.node().await, store.node().await];
    for n in 0..6 {
        let acme = tenant(&nodes[0], &format!("acme-{n}")).await;
        let freeze = async {
            let frozen = nodes[n % 2].freeze_switch(&acme.id, Board, &by()).await.unwrap();
            frozen.commit().await.unwrap()
        };
        let (minted, frozen) = tokio::join!(mint(&nodes[(n + 1) % 2], &acme, Platform), freeze);
        match minted {
            Ok(minted) => assert!(minted.credential.version < frozen.version),
            Err(refused) => {
                assert!(matches!(refused, RegistryError::Frozen), "{refused:?}");
            }
        }
    }
    store.remove().await;
}

#[tokio::test]
async fn states_change_only_where_there_is_a_way() {
    use TenantState::{Active, Closed, Purged, Suspended};
    let store = Store::new().await;
    let registry = store.node().await;
    let acme = tenant(&registry, "acme").await;
    let token = mint(&registry, &acme, Platform).await.unwrap().credential;
    let go = async |state| registry.set_state(&acme.id, state, &by()).await?.commit().await;
    for (state, is_way) in [
        (Active, true),
        (Suspended, true),
        (Purged, false),
        (Active, true),
        (Suspended, true),
        (Closed, true),
        (Suspended, false),
        (Active, true),
        (Closed, true),
        (Purged, false),
    ] {
        let now = registry.find_tenant("acme").await.unwrap().unwrap();
        match go(state).await {
            Ok(after) => {
                assert!(is_way, "{} to {state}", now.state);
                assert_eq!(after.state, state);
                assert_eq!(after.closed_at, (state == Closed).then_some(NOW));
            }
            Err(RegistryError::StateConflict { from, to }) => {
                assert!(!is_way, "{from} to {to}");
                assert_eq!((from, to), (now.state, state));
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    // A closed tenant gets nothing new, and what it has can be taken away.
    let conflict = |error: RegistryError| {
        assert_eq!(error.to_string(), "the tenant is closed: resume it first");
        matches!(error, RegistryError::TenantClosed(Closed))
    };
    assert!(conflict(mint(&registry, &acme, Platform).await.unwrap_err()));
    let rotated = registry.start_rotation(&acme.id, &token.key_id, HOUR, None, &By::cli(NOW)).await;
    assert!(conflict(rotated.unwrap_err()));
    assert!(conflict(registry.freeze_switch(&acme.id, Board, &by()).await.unwrap_err()));
    let gone = registry.revoke_credential(&acme.id, &token.key_id, &by()).await.unwrap();
    gone.commit().await.unwrap();
    store.remove().await;
}
