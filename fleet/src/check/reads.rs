//! What reads saw, I11; and what no answer may hold, I5 and I9.

use super::Findings;
use crate::load::{Event, Op, Outcome};
use std::collections::BTreeMap;

/// The last write of a resource that was acknowledged before a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    Written(u64),
    Deleted,
}

pub(super) fn check(history: &[Event], findings: &mut Findings) {
    findings.looked("I11");
    let mut writes: BTreeMap<(&str, &str), Vec<&Event>> = BTreeMap::new();
    let of_people =
        |event: &&Event| matches!(event.op, Op::Create | Op::Patch | Op::Replace | Op::Delete);
    for event in history.iter().filter(of_people) {
        writes.entry((&event.tenant, &event.name)).or_default().push(event);
    }
    for read in history.iter().filter(|event| matches!(event.op, Op::Get | Op::Find)) {
        let is_there = match (read.op, read.status, read.total) {
            (Op::Get, 200, _) | (Op::Find, 200, Some(1)) => true,
            (Op::Get, 404, _) | (Op::Find, 200, Some(0)) => false,
            _ => continue,
        };
        let Some(own) = writes.get(&(read.tenant.as_str(), read.name.as_str())) else { continue };
        // A delete that was under way may be seen or not.
        let may_be_gone = own.iter().any(|write| {
            write.op == Op::Delete && write.at <= read.end && write.outcome != Outcome::Fail
        });
        let wrong = match (last(own, read.at), is_there) {
            (Last::Written(_), false) if !may_be_gone => Some("is not there"),
            (Last::Written(version), true) if read.version > 0 && read.version < version => {
                Some("is older")
            }
            (Last::Deleted, true) => Some("is there again"),
            _ => None,
        };
        if let Some(wrong) = wrong {
            findings.add(
                "I11",
                format!(
                    "{}'s {} {wrong} on {}, version {} at {}",
                    read.tenant, read.name, read.node, read.version, read.at
                ),
            );
        }
    }
}

fn last(writes: &[&Event], before: u64) -> Last {
    let done = writes.iter().filter(|write| write.outcome == Outcome::Ok && write.end <= before);
    match done.max_by_key(|write| write.end) {
        Some(write) if write.op == Op::Delete => Last::Deleted,
        Some(write) => Last::Written(write.version),
        None => Last::Nothing,
    }
}

pub(super) fn check_answers(history: &[Event], findings: &mut Findings) {
    findings.looked("I5");
    findings.looked("I9");
    for event in history {
        let said = || {
            format!(
                "{:?} at {} by {}: {} {}",
                event.op, event.at, event.node, event.status, event.note
            )
        };
        if event.smell.starts_with("cnry") {
            findings.add("I5", format!("{} saw {}: {}", event.tenant, event.smell, said()));
        } else if !event.smell.is_empty() {
            findings.add("I9", format!("an answer holds {:?}: {}", event.smell, said()));
        }
        if matches!(event.status, 500 | 502 | 504) {
            findings.add("I9", said());
        }
        // An answer that no gateway gave, but the server below it, or a proxy.
        if event.status >= 400 && event.reason.is_empty() {
            findings.add("I9", format!("no reason: {}", said()));
        }
        if event.status == 503 && event.retry_after.is_empty() {
            findings.add("I9", format!("no Retry-After: {}", said()));
        }
    }
}
