//! A tenant that is taken from one store to another, between engines in any direction.

mod during;
mod scene;

use crate::support::{BASE, NOW, asked, user};
use directory::{Differs, MoveError, Transfer};
use region_router::Population;
use scene::{Ends, FROZEN, each_pair, tenant_at};
use serde_json::json;
use std::sync::Arc;

fn quietly(_: &'static str, _: u64) {}

#[tokio::test]
async fn all_of_a_tenant_is_the_same_in_its_new_store_and_nothing_is_left_in_the_old_one() {
    each_pair(async |ends: Ends| {
        ends.fill('a').await;
        ends.fill('b').await;
        let neighbour = ends.rows_of(&ends.source, 'b').await;
        let before = ends.rows_of(&ends.source, 'a').await;
        let transfer = ends.transfer();

        let copied = transfer.prepare(&quietly).await.unwrap();
        assert!(copied > 100, "{copied}");
        transfer.freeze().await.unwrap();
        transfer.finish(NOW, FROZEN).await.unwrap();
        let compared = transfer.compare(FROZEN).await.unwrap();
        assert!(compared.is_same(), "{compared:?}");
        assert!(compared.tables.iter().all(|table| table.target > 0), "{compared:?}");
        assert_eq!(ends.rows_of(&ends.target, 'a').await, before);

        let moved = tenant_at(3);
        transfer.approve(moved.epoch).await.unwrap();
        transfer.arm(moved.epoch).await.unwrap();
        transfer.retire(moved.epoch).await.unwrap();
        transfer.carry_rest(FROZEN).await.unwrap();
        let purged = transfer.purge_source().await.unwrap();
        for table in &purged {
            assert_eq!(table.after, 0, "{table:?}");
            assert!(table.before > 0, "{table:?}");
        }
        assert_eq!(ends.rows_of(&ends.target, 'a').await, before);
        assert!(ends.rows_of(&ends.source, 'a').await.is_empty());
        assert_eq!(ends.rows_of(&ends.source, 'b').await, neighbour);
        assert_eq!(
            ends.fences(&ends.source).await,
            ["ten_aaaaaaaaaaaaaaaa 3 moved", "ten_aaaaaaaaaaaaaaaa+board 3 moved"]
        );
        assert_eq!(
            ends.fences(&ends.target).await,
            ["ten_aaaaaaaaaaaaaaaa 3 active", "ten_aaaaaaaaaaaaaaaa+board 3 active"]
        );
        // Each step may be done again by whoever does not know that it was done.
        transfer.arm(moved.epoch).await.unwrap();
        transfer.retire(moved.epoch).await.unwrap();
        assert_eq!(transfer.purge_source().await.unwrap(), purged);
    })
    .await;
}

#[tokio::test]
async fn after_a_move_the_new_store_is_written_and_the_old_one_is_not() {
    each_pair(async |ends: Ends| {
        let old = ends.source_view(&tenant_at(1));
        let made = scene::create(&old, "ada").await.unwrap();
        let stored = old.user(&made, BASE).await.unwrap();
        let moved = ends.move_all().await;
        let (here, there) = (ends.source_view(&moved), ends.target_view(&moved));

        let found = there.user(&made, BASE).await.unwrap();
        assert_eq!((found.version, found.created_at), (stored.version, stored.created_at));
        assert_eq!(found.doc, stored.doc);
        for view in [&old, &here] {
            assert!(scene::is_fenced(&scene::create(view, "eve").await));
        }
        // A node that has not heard of the move finds a fence at both ends.
        assert!(scene::is_fenced(&scene::create(&ends.target_view(&tenant_at(1)), "eve").await));
        scene::create(&there, "eve").await.unwrap();
        let taken = scene::create(&there, "ADA").await;
        assert!(taken.is_err(), "the name is taken");
        assert_eq!(there.tally().await.unwrap().users, 2);
        // The population that nobody was written in is open, too.
        let board = ends.target.directory.within_population(&tenant_at(3), Population::Board);
        scene::create(&board, "bob").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_tenant_goes_there_and_back() {
    each_pair(async |ends: Ends| {
        ends.fill('a').await;
        let before = ends.rows_of(&ends.source, 'a').await;
        let moved = ends.move_all().await;
        let (from, to) = (ends.target.directory.clone(), ends.source.directory.clone());
        let back = Transfer::new(from, to, Arc::clone(&moved));
        back.prepare(&quietly).await.unwrap();
        back.freeze().await.unwrap();
        back.finish(NOW, FROZEN).await.unwrap();
        assert!(back.compare(FROZEN).await.unwrap().is_same());
        back.approve(moved.epoch + 2).await.unwrap();
        back.arm(moved.epoch + 2).await.unwrap();
        back.retire(moved.epoch + 2).await.unwrap();
        assert_eq!(ends.rows_of(&ends.source, 'a').await, before);
        scene::create(&ends.source_view(&tenant_at(5)), "eve").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_difference_is_found_wherever_it_is_and_told_without_a_name() {
    each_pair(async |ends: Ends| {
        ends.fill('a').await;
        let transfer = ends.transfer();
        transfer.prepare(&quietly).await.unwrap();
        transfer.freeze().await.unwrap();
        transfer.finish(NOW, FROZEN).await.unwrap();
        for (sql, table, differs) in [
            ("UPDATE users SET doc = doc || ' ' WHERE display = 'ada'", "users", Differs::Other),
            ("UPDATE users SET search = '{}' WHERE display = 'ada'", "users", Differs::Other),
            (
                "UPDATE decisions SET trace_id = '' WHERE outcome = 'read'",
                "decisions",
                Differs::Other,
            ),
            ("DELETE FROM members WHERE kind = 'User'", "members", Differs::Missing),
            (
                "UPDATE outbox SET id = id || '-' WHERE resource_type = 'Group'",
                "outbox",
                Differs::Extra,
            ),
        ] {
            ends.target.store.run(sql).await;
            let found = transfer.compare(FROZEN).await.unwrap();
            assert!(!found.is_same() && found.different > 0, "{sql}");
            let told = found.first.iter().find(|one| one.differs == differs);
            let told = told.unwrap_or_else(|| panic!("{sql}: {found:?}"));
            assert_eq!((told.table, told.key_hash.len()), (table, 32), "{sql}");
            transfer.prepare(&quietly).await.unwrap();
            assert!(transfer.compare(FROZEN).await.unwrap().is_same(), "{sql}");
        }
        // What is one row too many or too few is put right without beginning again.
        ends.target.store.run("DELETE FROM tombstones").await;
        ends.target.store.run("UPDATE tallies SET users = users + 1").await;
        assert!(transfer.finish(NOW, FROZEN).await.unwrap() > 0);
        assert!(transfer.compare(FROZEN).await.unwrap().is_same());
    })
    .await;
}

#[tokio::test]
async fn a_store_that_is_not_free_or_of_another_version_is_left_alone() {
    each_pair(async |ends: Ends| {
        ends.fill('a').await;
        let mut answers = Vec::new();
        let mut attempt = async |ends: &Ends| {
            answers.push(ends.transfer().prepare(&quietly).await.unwrap_err().to_string());
        };
        let there = ends.target_view(&tenant_at(1));
        scene::create(&there, "ada").await.unwrap();
        attempt(&ends).await;
        ends.target.directory.purge_all(&tenant_at(1)).await.unwrap();
        attempt(&ends).await;
        ends.target.store.run("DELETE FROM tenants").await;
        ends.target.store.run("ALTER TABLE groups ADD COLUMN colour TEXT").await;
        attempt(&ends).await;
        let busy = "the target store is not free for this tenant";
        let other = "table groups of the target store is of another version: bring both stores and this program to the same one";
        assert_eq!(answers, [busy, busy, other]);
        let early = ends.transfer().purge_source().await;
        assert!(matches!(early, Err(MoveError::NotHome)), "{early:?}");
        scene::create(&ends.source_view(&tenant_at(1)), "eve").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn of_two_movers_the_later_one_goes_on() {
    each_pair(async |ends: Ends| {
        ends.fill('a').await;
        let (first, second) = (ends.transfer(), ends.transfer());
        first.prepare(&quietly).await.unwrap();
        second.claim().await.unwrap();
        let late = first.catch_up(NOW - std::time::Duration::from_secs(600)).await.map(drop);
        let superseded = |outcome: Result<(), MoveError>| {
            assert!(matches!(outcome, Err(MoveError::Superseded)), "{outcome:?}");
        };
        superseded(late);
        superseded(first.prepare(&quietly).await.map(drop));
        second.freeze().await.unwrap();
        second.finish(NOW, FROZEN).await.unwrap();
        assert!(second.compare(FROZEN).await.unwrap().is_same());
        second.approve(3).await.unwrap();
        second.arm(3).await.unwrap();
        // The first one wakes up: the store is somebody's home now.
        superseded(first.prepare(&quietly).await.map(drop));
        first.abandon().await.unwrap_err();
        let refused = ends.transfer().abandon().await;
        assert!(matches!(refused, Err(MoveError::TargetInUse)), "{refused:?}");
        scene::create(&ends.target_view(&tenant_at(3)), "eve").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn only_a_copy_that_was_compared_is_opened_and_nobody_takes_it_over() {
    each_pair(async |ends: Ends| {
        ends.fill('a').await;
        let transfer = ends.transfer();
        transfer.prepare(&quietly).await.unwrap();
        transfer.freeze().await.unwrap();
        transfer.finish(NOW, FROZEN).await.unwrap();
        let in_use = |outcome: Result<(), MoveError>| {
            assert!(matches!(outcome, Err(MoveError::TargetInUse)), "{outcome:?}");
        };
        in_use(transfer.arm(3).await);
        transfer.hold(3).await.unwrap();
        assert!(transfer.compare(FROZEN).await.unwrap().is_same());
        transfer.approve(3).await.unwrap();
        // Movers that were asleep meanwhile, of this move and of a later one.
        for late in [transfer, ends.transfer()] {
            late.prepare(&quietly).await.unwrap_err();
            late.abandon().await.unwrap_err();
        }
        in_use(ends.transfer().arm(5).await);
        let next = ends.transfer();
        next.hold(3).await.unwrap();
        assert!(next.compare(FROZEN).await.unwrap().is_same());
        next.approve(3).await.unwrap();
        next.arm(3).await.unwrap();
        scene::create(&ends.target_view(&tenant_at(3)), "eve").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_first_write_after_a_move_was_given_up_opens_the_old_home() {
    each_pair(async |ends: Ends| {
        ends.fill('a').await;
        let transfer = ends.transfer();
        transfer.prepare(&quietly).await.unwrap();
        transfer.freeze().await.unwrap();
        scene::create(&ends.source_view(&tenant_at(3)), "eve").await.unwrap();
        assert!(scene::is_fenced(&scene::create(&ends.source_view(&tenant_at(1)), "adam").await));
        // A mover that was asleep freezes it no more.
        let late = transfer.freeze().await;
        assert!(matches!(late, Err(MoveError::NotHome)), "{late:?}");
    })
    .await;
}

#[tokio::test]
async fn a_move_that_is_backed_out_of_leaves_everything_as_it_was() {
    each_pair(async |ends: Ends| {
        ends.fill('a').await;
        let before = ends.rows_of(&ends.source, 'a').await;
        let transfer = ends.transfer();
        transfer.prepare(&quietly).await.unwrap();
        transfer.freeze().await.unwrap();
        assert!(scene::is_fenced(&scene::create(&ends.source_view(&tenant_at(1)), "eve").await));
        transfer.thaw(3).await.unwrap();
        transfer.abandon().await.unwrap();

        assert_eq!(ends.rows_of(&ends.source, 'a').await, before);
        assert!(ends.rows_of(&ends.target, 'a').await.is_empty());
        assert!(scene::is_fenced(&scene::create(&ends.source_view(&tenant_at(1)), "eve").await));
        scene::create(&ends.source_view(&tenant_at(3)), "eve").await.unwrap();
        assert!(scene::is_fenced(&scene::create(&ends.target_view(&tenant_at(1)), "eve").await));
        // What the attempt would still do is too late.
        let late = transfer.freeze().await;
        assert!(matches!(late, Err(MoveError::NotHome)), "{late:?}");
        let (from, to) = (ends.source.directory.clone(), ends.target.directory.clone());
        let again = Transfer::new(from, to, tenant_at(3));
        again.prepare(&quietly).await.unwrap();
        again.freeze().await.unwrap();
        transfer.thaw(3).await.unwrap();
        assert!(scene::is_fenced(&scene::create(&ends.source_view(&tenant_at(3)), "bob").await));
        again.finish(NOW, FROZEN).await.unwrap();
        assert!(again.compare(FROZEN).await.unwrap().is_same());
    })
    .await;
}

#[tokio::test]
async fn what_is_noted_while_nobody_writes_comes_along_once() {
    each_pair(async |ends: Ends| {
        ends.fill('a').await;
        let transfer = ends.transfer();
        transfer.prepare(&quietly).await.unwrap();
        transfer.freeze().await.unwrap();
        transfer.finish(NOW, NOW).await.unwrap();
        let view = ends.source_view(&tenant_at(1));
        scene::read(&view, "late");
        ends.source.directory.residency(&tenant_at(1)).await.unwrap();
        scene::settle(&ends.source.directory).await;
        assert!(transfer.compare(NOW).await.unwrap().is_same(), "the log goes on meanwhile");
        transfer.approve(3).await.unwrap();
        transfer.arm(3).await.unwrap();
        transfer.retire(3).await.unwrap();
        transfer.carry_rest(NOW).await.unwrap();
        assert_eq!(transfer.carry_rest(NOW).await.unwrap(), 0);
        let sql = "SELECT request_id FROM decisions WHERE request_id = 'late'";
        assert_eq!(ends.target.store.texts(sql).await, ["late"]);

        scene::read(&view, "behind");
        scene::settle(&ends.source.directory).await;
        let sql = "SELECT request_id FROM decisions WHERE request_id = 'behind'";
        assert!(ends.source.store.texts(sql).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn history_of_a_tenant_on_the_way_is_kept_at_both_ends() {
    each_pair(async |ends: Ends| {
        ends.fill('a').await;
        let transfer = ends.transfer();
        transfer.prepare(&quietly).await.unwrap();
        transfer.freeze().await.unwrap();
        transfer.finish(NOW, FROZEN).await.unwrap();
        let far = NOW + std::time::Duration::from_secs(400 * 86_400);
        for end in [&ends.source, &ends.target] {
            assert_eq!(end.directory.purge(far, far, far).await.unwrap(), 0);
        }
        assert!(transfer.compare(FROZEN).await.unwrap().is_same());
    })
    .await;
}

#[tokio::test]
async fn a_large_tenant_is_copied_in_pages() {
    let people = crate::support::store::variable("MUSTER_TEST_PEOPLE");
    let people: usize = people.map_or(300, |people| people.parse().unwrap());
    each_pair(async |ends: Ends| {
        ends.crowd(people).await;
        let mut costs = Vec::new();
        let mut clock = std::time::Instant::now();
        let mut lap = |what: &'static str| {
            costs.push(format!("{what} {:.2} s", clock.elapsed().as_secs_f64()));
            clock = std::time::Instant::now();
        };
        let transfer = ends.transfer();
        let copied = transfer.prepare(&quietly).await.unwrap();
        lap("prepare");
        let found = transfer.catch_up(NOW).await.unwrap();
        lap("catch up");
        transfer.freeze().await.unwrap();
        lap("freeze");
        transfer.finish(NOW, FROZEN).await.unwrap();
        lap("finish");
        let compared = transfer.compare(FROZEN).await.unwrap();
        lap("compare");
        transfer.approve(3).await.unwrap();
        transfer.arm(3).await.unwrap();
        transfer.retire(3).await.unwrap();
        transfer.carry_rest(FROZEN).await.unwrap();
        lap("arm, retire, carry the rest");
        transfer.purge_source().await.unwrap();
        lap("purge");
        println!("{}: {people} people, {copied} rows: {}", ends.name(), costs.join(", "));
        assert_eq!(found, 0);
        assert!(compared.is_same(), "{compared:?}");
        let users = compared.tables.iter().find(|table| table.table == "users").unwrap();
        assert_eq!(users.target, u64::try_from(people).unwrap());
        let there = ends.target_view(&tenant_at(3));
        assert_eq!(there.tally().await.unwrap().users, users.target);
        let body = json!({ "userName": "one-more" });
        there.create_user(&user(&body), &asked("user.create")).await.unwrap();
    })
    .await;
}
