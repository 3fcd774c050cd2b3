//! The order of a bulk request's operations, computed from their references (RFC 7644 §3.7.1 and §3.7.2).
//!
//! Ids are given ahead, so a user may name another that is made later; a group may not, since its members must be
//! there. What is in a circle is done in one step, whose outcome is judged before anything else relies on it.

use super::{BulkRequest, Endpoint, Task};
use std::collections::{BTreeMap, BTreeSet};

/// Operations that stand or fall before the next step begins. Mostly one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// The operations to do, in order.
    pub operations: Vec<usize>,
    /// The operations that no order could do: groups that are members of each other.
    pub unresolvable: Vec<usize>,
}

/// What each operation that is left still waits for.
type Waits = BTreeMap<usize, BTreeSet<usize>>;

pub(super) fn steps(request: &BulkRequest) -> Vec<Step> {
    let tasks = || {
        let all = request.operations.iter().enumerate();
        all.map(|(index, operation)| (index, operation.task.as_ref().ok()))
    };
    let mut waits: Waits = tasks()
        .map(|(index, task)| {
            let needs = task.into_iter().flat_map(Task::needs).filter(|need| *need != index);
            (index, needs.collect())
        })
        .collect();
    let single = |index| Step { operations: vec![index], ..Step::default() };
    let mut steps: Vec<Step> = run(&mut waits).into_iter().map(single).collect();
    if waits.is_empty() {
        return steps;
    }
    // What is left is in circles, between them, or after them. The last are those that nobody waits for.
    let mut inverse: Waits = waits.keys().map(|index| (*index, BTreeSet::new())).collect();
    for (index, needs) in &waits {
        for need in needs {
            inverse.entry(*need).or_default().insert(*index);
        }
    }
    run(&mut inverse);
    let circles: BTreeSet<usize> = inverse.into_keys().collect();
    // Within the circles only what must be there is waited for.
    let mut strict: Waits = tasks()
        .filter(|(index, _)| circles.contains(index))
        .map(|(index, task)| {
            let needs = task.filter(|task| task.endpoint == Endpoint::Groups);
            let needs = needs.into_iter().flat_map(Task::needs);
            let needs = needs.filter(|need| *need != index && circles.contains(need));
            (index, needs.collect())
        })
        .collect();
    let operations = run(&mut strict);
    steps.push(Step { operations, unresolvable: strict.into_keys().collect() });
    waits.retain(|index, needs| {
        needs.retain(|need| !circles.contains(need));
        !circles.contains(index)
    });
    steps.extend(run(&mut waits).into_iter().map(single));
    steps
}

/// Takes out, the earliest first, whatever waits for nothing; what is left waits for itself.
fn run(waits: &mut Waits) -> Vec<usize> {
    let mut waited_for: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, needs) in &*waits {
        for need in needs {
            waited_for.entry(*need).or_default().push(*index);
        }
    }
    let free = waits.iter().filter(|(_, needs)| needs.is_empty());
    let mut ready: BTreeSet<usize> = free.map(|(index, _)| *index).collect();
    let mut order = Vec::with_capacity(waits.len());
    while let Some(index) = ready.pop_first() {
        waits.remove(&index);
        order.push(index);
        for waiting in waited_for.remove(&index).unwrap_or_default() {
            if let Some(needs) = waits.get_mut(&waiting) {
                needs.remove(&index);
                if needs.is_empty() {
                    ready.insert(waiting);
                }
            }
        }
    }
    order
}
