//! What each resource may be at the end, and what it is: I1 to I4.

use super::Findings;
use super::given::Row;
use crate::load::{Event, Op, Outcome};
use std::collections::{BTreeMap, BTreeSet};

/// A tenant and a userName.
type Key<'a> = (&'a str, &'a str);

/// What a person may be.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Form<'a> {
    Absent,
    There { stamp: &'a str, version: Option<u64> },
}

/// All that is known of one person.
#[derive(Debug)]
struct Life<'a> {
    forms: Vec<Form<'a>>,
    /// Whether it may be a member, and whether it may be none.
    membership: [bool; 2],
    failed: BTreeSet<&'a str>,
    made: usize,
}

/// A row of the users.
struct User<'a> {
    id: &'a str,
    version: u64,
    title: &'a str,
}

pub(super) fn check(history: &[Event], rows: &[Row], findings: &mut Findings) {
    for invariant in ["I1", "I2", "I3", "I4"] {
        findings.looked(invariant);
    }
    let mut lives: BTreeMap<Key<'_>, Life<'_>> = BTreeMap::new();
    for event in history.iter().filter(|event| event.op.is_write() && event.op != Op::MakeGroup) {
        let life = lives.entry((&event.tenant, &event.name)).or_insert_with(|| Life {
            forms: vec![Form::Absent],
            membership: [false, true],
            failed: BTreeSet::new(),
            made: 0,
        });
        life.take(event, findings);
    }
    let mut users: BTreeMap<Key<'_>, Vec<User<'_>>> = BTreeMap::new();
    for row in rows {
        if let Row::User { tenant, id, name, version, title } = row {
            users.entry((tenant, name)).or_default().push(User { id, version: *version, title });
        }
    }
    compare(&lives, &users, findings);
    check_members(&lives, &users, rows, findings);
    check_groups(history, rows, findings);
    check_numbers(&users, rows, findings);
}

impl<'a> Life<'a> {
    fn take(&mut self, event: &'a Event, findings: &mut Findings) {
        let there = |version| Form::There { stamp: event.stamp.as_str(), version };
        let may_be_there = self.forms.iter().any(|form| *form != Form::Absent);
        let may_be_absent = self.forms.contains(&Form::Absent);
        let known = Some(event.version).filter(|version| *version > 0);
        match (event.op, event.outcome) {
            (Op::Create, Outcome::Ok) => {
                self.made += 1;
                if !may_be_absent {
                    findings.add("I3", format!("made twice: {}", told(event)));
                }
                self.forms = vec![there(known)];
            }
            (Op::Create, Outcome::Fail) if event.status == 409 => {
                if may_be_there {
                    self.forms.retain(|form| *form != Form::Absent);
                } else {
                    findings.add("I3", format!("taken, and nobody has it: {}", told(event)));
                }
            }
            (Op::Patch | Op::Replace, Outcome::Ok) => self.forms = vec![there(known)],
            (Op::Delete, Outcome::Ok) => {
                self.forms = vec![Form::Absent];
                self.membership = [false, true];
            }
            (Op::Add, Outcome::Ok) => self.membership = [true, false],
            (Op::Remove, Outcome::Ok) => self.membership = [false, true],
            (Op::Create | Op::Patch | Op::Replace, Outcome::Unknown) => {
                self.forms.push(there(None));
            }
            (Op::Delete, Outcome::Unknown) => {
                self.forms.push(Form::Absent);
                self.membership = [true, true];
            }
            (Op::Add | Op::Remove, Outcome::Unknown) => self.membership = [true, true],
            (_, Outcome::Fail) if event.status == 404 && !may_be_absent => {
                findings.add("I1", format!("acknowledged, and not found: {}", told(event)));
            }
            (_, Outcome::Fail) => {
                self.failed.insert(&event.stamp);
            }
            _ => {}
        }
    }
}

fn told(event: &Event) -> String {
    format!(
        "{} of {}'s {} at {} by {}: {} {}",
        word(event.op),
        event.tenant,
        event.name,
        event.at,
        event.node,
        event.status,
        event.reason
    )
}

fn word(op: Op) -> String {
    format!("{op:?}").to_lowercase()
}

fn compare(
    lives: &BTreeMap<Key<'_>, Life<'_>>,
    users: &BTreeMap<Key<'_>, Vec<User<'_>>>,
    findings: &mut Findings,
) {
    for (key @ (tenant, name), life) in lives {
        let found = users.get(key).map(Vec::as_slice).unwrap_or_default();
        if found.len() > 1 {
            findings.add("I3", format!("{tenant}'s {name} is there {} times", found.len()));
        }
        let Some(user) = found.first() else {
            if !life.forms.contains(&Form::Absent) {
                findings
                    .add("I1", format!("{tenant}'s {name} is gone; it may be {:?}", life.forms));
            }
            continue;
        };
        let fits = |form: &Form<'_>| match form {
            Form::Absent => false,
            Form::There { stamp, version } => {
                *stamp == user.title && version.is_none_or(|known| known == user.version)
            }
        };
        if life.forms.iter().any(fits) {
            continue;
        }
        let said = format!(
            "{tenant}'s {name} is {} in version {}; it may be {:?}",
            user.title, user.version, life.forms
        );
        let invariant =
            if life.failed.contains(user.title) || life.made == 0 { "I2" } else { "I1" };
        findings.add(invariant, said);
    }
    for key @ (tenant, name) in users.keys() {
        if !lives.contains_key(key) {
            findings.add("I2", format!("{tenant}'s {name} is there, and nobody asked for it"));
        }
    }
}

fn check_members(
    lives: &BTreeMap<Key<'_>, Life<'_>>,
    users: &BTreeMap<Key<'_>, Vec<User<'_>>>,
    rows: &[Row],
    findings: &mut Findings,
) {
    let mut members = BTreeSet::new();
    for row in rows {
        if let Row::Member { tenant, group, member } = row {
            members.insert((tenant.as_str(), member.as_str()));
            if group.is_empty() {
                findings.add("I2", format!("{tenant}: a membership without a group"));
            }
        }
    }
    for (key @ (tenant, name), found) in users {
        for user in found {
            let is_member = members.remove(&(*tenant, user.id));
            let may_be = lives.get(key).map_or([true, true], |life| life.membership);
            let [member, none] = may_be;
            if if is_member { !member } else { !none } {
                let what = if is_member {
                    "a member against the last answer"
                } else {
                    "not a member, which was acknowledged"
                };
                findings.add("I1", format!("{tenant}'s {name} is {what}"));
            }
        }
    }
    for (tenant, member) in members {
        findings.add("I2", format!("{tenant}: {member} is a member, and nobody"));
    }
}

fn check_groups(history: &[Event], rows: &[Row], findings: &mut Findings) {
    let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows {
        if let Row::Group { tenant, id, name } = row {
            *groups.entry(tenant).or_default() += 1;
            if id.is_empty() || name.is_empty() {
                findings.add("I2", format!("{tenant}: a group without id or name"));
            }
        }
    }
    for (tenant, count) in &groups {
        if *count > 1 {
            findings.add("I3", format!("{tenant} has its group {count} times"));
        }
    }
    let made =
        history.iter().filter(|event| event.op == Op::MakeGroup && event.outcome == Outcome::Ok);
    for event in made {
        if !groups.contains_key(event.tenant.as_str()) {
            findings.add("I1", format!("the group is gone: {}", told(event)));
        }
    }
}

/// Every resource's changes are numbered from 1 without a gap, and each has its row in the outbox.
fn check_numbers(users: &BTreeMap<Key<'_>, Vec<User<'_>>>, rows: &[Row], findings: &mut Findings) {
    let mut changes = BTreeMap::new();
    let mut outbox = BTreeMap::new();
    for row in rows {
        match row {
            Row::Numbers { tenant, of, id, first, last, count } => {
                let key = (tenant.as_str(), id.as_str());
                if *first != 1 || last != count {
                    findings.add(
                        "I4",
                        format!("{tenant}: the {of} of {id} are {count} from {first} to {last}"),
                    );
                }
                let numbers = if of == "changes" { &mut changes } else { &mut outbox };
                numbers.insert(key, *last);
            }
            Row::Fault { what, count } if *count != 0 => {
                findings.add("I2", format!("{what}: {count}"));
            }
            _ => {}
        }
    }
    if changes != outbox {
        findings.add(
            "I4",
            format!(
                "{} resources have changes, and {} rows in the outbox, and they differ",
                changes.len(),
                outbox.len()
            ),
        );
    }
    for ((tenant, name), found) in users {
        for user in found {
            let last = changes.get(&(*tenant, user.id)).copied().unwrap_or(0);
            if last != user.version {
                findings.add(
                    "I4",
                    format!("{tenant}'s {name} has version {} and {last} changes", user.version),
                );
            }
        }
    }
}
