//! A node that follows the registry.

use std::time::Duration;
use tenant_registry::Registry;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What is awaited happens within this.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// A node's follower, ended before the test is.
pub(crate) struct Follower {
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Follower {
    pub(crate) fn of(registry: &Registry) -> Self {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let (registry, until) = (registry.clone(), stop.clone());
        tasks.spawn(async move { registry.follow(until).await });
        tasks.close();
        Self { stop, tasks }
    }

    pub(crate) async fn end(self) {
        self.stop.cancel();
        timeout(SOON, self.tasks.wait()).await.unwrap();
    }
}

pub(crate) async fn reached(registry: &Registry, generation: i64) {
    let mut generations = registry.generations();
    let wait = generations.wait_for(|reached| *reached >= generation);
    timeout(SOON, wait).await.expect("the change arrives").unwrap();
}
