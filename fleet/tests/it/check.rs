//! Each invariant is seen to be broken, and an unbroken run passes.

use serde_json::{Value, json};
use std::process::Command;
use tempfile::TempDir;

/// A run of one tenant; times are seconds.
struct Run {
    events: Vec<Value>,
    rows: Vec<Value>,
    about: Value,
}

fn seconds(count: f64) -> u64 {
    std::time::Duration::from_secs_f64(count).as_micros().try_into().unwrap()
}

impl Run {
    /// Ada is made and changed, and it holds.
    fn good() -> Self {
        let mut run = Self {
            events: Vec::new(),
            rows: Vec::new(),
            about: json!({ "phases": [
                { "name": "baseline", "from": seconds(0.0), "to": seconds(10.0) },
                { "name": "fault", "from": seconds(10.0), "to": seconds(20.0) },
                { "name": "after", "from": seconds(20.0), "to": seconds(30.0) },
            ]}),
        };
        run.event(1.0, "create", "ok", &json!({ "status": 201, "stamp": "s1", "version": 1 }));
        run.event(2.0, "patch", "ok", &json!({ "status": 200, "stamp": "s2", "version": 2 }));
        run.user("s2", 2);
        run
    }

    fn event(&mut self, at: f64, op: &str, outcome: &str, more: &Value) {
        let mut event = json!({
            "at": seconds(at), "end": seconds(at + 0.1), "class": "us", "tenant": "acme", "node": "us1", "op": op,
            "name": "ada", "id": "u1", "outcome": outcome, "status": 0, "reason": "why",
        });
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.events.push(event);
    }

    fn user(&mut self, title: &str, version: u64) {
        self.rows.push(json!({ "table": "user", "tenant": "acme", "id": "u1", "name": "ada", "version": version, "title": title }));
        for of in ["changes", "outbox"] {
            self.rows.push(json!({ "table": "numbers", "tenant": "acme", "of": of, "id": "u1", "first": 1, "last": version, "count": version }));
        }
    }

    /// The names of what does not hold.
    #[track_caller]
    fn broken(&self) -> Vec<String> {
        let folder = TempDir::new().unwrap();
        let file = |name: &str| folder.path().join(name);
        let lines =
            |values: &[Value]| values.iter().map(|value| format!("{value}\n")).collect::<String>();
        std::fs::write(file("history"), lines(&self.events)).unwrap();
        std::fs::write(file("stores"), lines(&self.rows)).unwrap();
        std::fs::write(file("run"), self.about.to_string()).unwrap();
        let done = Command::new(env!("CARGO_BIN_EXE_fleet"))
            .arg("check")
            .args(["--history".into(), file("history"), "--stores".into(), file("stores")])
            .args(["--run".into(), file("run"), "--json".into(), file("found")])
            .output()
            .unwrap();
        let found = std::fs::read_to_string(file("found")).unwrap_or_else(|_| panic!("{done:?}"));
        let found: Value = serde_json::from_str(&found).unwrap();
        let findings = found["findings"].as_object().unwrap();
        let broken: Vec<String> = findings
            .iter()
            .filter(|(_, one)| one["count"] != 0)
            .map(|(name, _)| name.clone())
            .collect();
        assert_eq!(done.status.success(), broken.is_empty(), "{done:?}");
        broken
    }
}

#[test]
fn a_run_that_holds_passes() {
    let mut run = Run::good();
    run.event(3.0, "get", "ok", &json!({ "status": 200, "stamp": "s2", "version": 2 }));
    assert_eq!(run.broken(), Vec::<String>::new());
}

#[test]
fn an_acknowledged_person_who_is_gone_is_lost() {
    let mut run = Run::good();
    run.rows.clear();
    assert_eq!(run.broken(), ["I1"]);
}

#[test]
fn an_acknowledged_change_that_is_not_there_is_lost() {
    let mut run = Run::good();
    run.rows.clear();
    run.user("s1", 1);
    assert_eq!(run.broken(), ["I1"]);
}

#[test]
fn an_acknowledged_delete_that_did_not_happen_is_lost() {
    let mut run = Run::good();
    run.event(3.0, "delete", "ok", &json!({ "status": 204, "stamp": "s3" }));
    assert_eq!(run.broken(), ["I1"]);
}

#[test]
fn a_person_who_was_acknowledged_is_not_answered_404() {
    let mut run = Run::good();
    run.event(3.0, "patch", "fail", &json!({ "status": 404, "stamp": "s3" }));
    assert_eq!(run.broken(), ["I1"]);
}

#[test]
fn a_write_without_an_answer_may_have_been_done_or_not() {
    for (title, version) in [("s2", 2), ("s3", 3)] {
        let mut run = Run::good();
        run.event(3.0, "patch", "unknown", &json!({ "stamp": "s3" }));
        run.rows.clear();
        run.user(title, version);
        assert_eq!(run.broken(), Vec::<String>::new(), "{title}");
    }
}

#[test]
fn a_refused_write_has_no_effect() {
    let mut run = Run::good();
    run.event(3.0, "patch", "fail", &json!({ "status": 503, "retry_after": "5", "stamp": "s3" }));
    run.rows.clear();
    run.user("s3", 3);
    assert_eq!(run.broken(), ["I2"]);
}

#[test]
fn a_name_is_taken_only_when_somebody_has_it() {
    let mut run = Run::good();
    run.events.truncate(1);
    run.events[0]["outcome"] = json!("fail");
    run.events[0]["status"] = json!(409);
    run.rows.clear();
    assert_eq!(run.broken(), ["I3"]);
}

#[test]
fn a_create_that_lost_its_answer_and_is_then_taken_was_done() {
    let mut run = Run::good();
    run.events.clear();
    run.event(1.0, "create", "unknown", &json!({ "stamp": "s1" }));
    run.event(2.0, "create", "fail", &json!({ "status": 409, "stamp": "s2" }));
    run.rows.clear();
    assert_eq!(run.broken(), ["I1"]);
    run.user("s1", 1);
    assert_eq!(run.broken(), Vec::<String>::new());
}

#[test]
fn two_people_of_one_name_are_found() {
    let mut run = Run::good();
    run.user("s2", 2);
    assert_eq!(run.broken(), ["I3"]);
}

#[test]
fn a_gap_in_the_numbers_and_a_missing_row_of_the_outbox_are_found() {
    let mut run = Run::good();
    run.rows[1]["count"] = json!(1);
    assert_eq!(run.broken(), ["I4"]);
    let mut run = Run::good();
    run.rows.truncate(2);
    assert_eq!(run.broken(), ["I4"]);
}

#[test]
fn a_member_who_was_acknowledged_is_one() {
    let mut run = Run::good();
    run.event(3.0, "add", "ok", &json!({ "status": 204 }));
    assert_eq!(run.broken(), ["I1"]);
    run.rows.push(json!({ "table": "member", "tenant": "acme", "group": "g1", "member": "u1" }));
    assert_eq!(run.broken(), Vec::<String>::new());
}

#[test]
fn what_belongs_to_another_tenant_is_smelt() {
    let mut run = Run::good();
    run.event(3.0, "get", "ok", &json!({ "status": 200, "version": 2, "smell": "cnryeu1234" }));
    assert_eq!(run.broken(), ["I5"]);
}

#[test]
fn a_file_that_holds_the_other_region_is_found() {
    let folder = TempDir::new().unwrap();
    let mut run = Run::good();
    run.about["sides"] = json!([{ "name": "us", "paths": [folder.path()], "never": ["cnryeu"], "always": ["cnryus"] }]);
    std::fs::write(folder.path().join("wal"), "cnryus1").unwrap();
    assert_eq!(run.broken(), Vec::<String>::new());
    // Over the border of what is read at a time.
    let mut bytes = vec![b'c'; (1 << 20) - 3];
    bytes.extend_from_slice(b"cnryeu1 cnryus1");
    std::fs::write(folder.path().join("wal"), bytes).unwrap();
    assert_eq!(run.broken(), ["I6"]);
    std::fs::write(folder.path().join("wal"), "nothing").unwrap();
    assert_eq!(run.broken(), ["I6"]);
}

#[test]
fn an_unaffected_class_neither_fails_nor_slows_down() {
    let mut run = Run::good();
    run.about["expect"] = json!({ "unaffected": ["us"] });
    run.event(11.0, "get", "ok", &json!({ "status": 200, "version": 2 }));
    assert_eq!(run.broken(), Vec::<String>::new());
    run.events[2]["end"] = json!(seconds(11.2));
    assert_eq!(run.broken(), ["I7"]);
    run.events[2]["end"] = json!(seconds(11.1));
    run.event(12.0, "get", "fail", &json!({ "status": 503, "retry_after": "5" }));
    assert_eq!(run.broken(), ["I7"]);
}

#[test]
fn what_fails_long_after_the_fault_is_no_recovery() {
    let mut run = Run::good();
    run.about["expect"] = json!({ "bound_s": 5.0 });
    run.event(24.0, "get", "fail", &json!({ "status": 503, "retry_after": "5" }));
    assert_eq!(run.broken(), Vec::<String>::new());
    run.event(26.0, "get", "fail", &json!({ "status": 503, "retry_after": "5" }));
    assert_eq!(run.broken(), ["I8"]);
}

#[test]
fn a_500_and_a_503_that_does_not_say_when_are_found() {
    for (status, after) in [(500, "5"), (502, "5"), (503, "")] {
        let mut run = Run::good();
        run.event(
            3.0,
            "patch",
            "unknown",
            &json!({ "status": status, "retry_after": after, "stamp": "s3" }),
        );
        assert_eq!(run.broken(), ["I9"], "{status}");
    }
}

#[test]
fn an_answer_that_no_gateway_gave_is_found() {
    let mut run = Run::good();
    run.event(3.0, "patch", "fail", &json!({ "status": 408, "reason": "", "stamp": "s3" }));
    assert_eq!(run.broken(), ["I9"]);
}

#[test]
fn a_process_that_keeps_growing_is_found() {
    let mut run = Run::good();
    let process = |fds: u64| json!({ "rss_kib": 50_000, "fds": fds, "threads": 6 });
    run.about["processes"] =
        json!([{ "name": "us1", "before": process(80), "after": process(90) }]);
    assert_eq!(run.broken(), Vec::<String>::new());
    run.about["processes"] =
        json!([{ "name": "us1", "before": process(80), "after": process(180) }]);
    assert_eq!(run.broken(), ["I10"]);
}

#[test]
fn a_read_does_not_go_back_behind_an_acknowledged_write() {
    let mut run = Run::good();
    run.event(3.0, "get", "ok", &json!({ "status": 200, "version": 1, "node": "us2" }));
    assert_eq!(run.broken(), ["I11"]);
    let mut run = Run::good();
    run.event(3.0, "find", "ok", &json!({ "status": 200, "total": 0, "node": "us2" }));
    assert_eq!(run.broken(), ["I11"]);
}
