//! Keeping up with what other nodes and the command line change.
//!
//! **Invariant**: asking suffices; Redis only makes it sooner. Neither the database nor Redis being gone ends the loop, and
//! each change of state is logged once.

use super::Registry;
use futures_util::StreamExt;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Where changes are announced. The message is the new generation.
const CHANNEL: &str = "muster:registry";
/// How long to wait before trying Redis again.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a connection to Redis may take.
const CONNECT: Duration = Duration::from_secs(2);
/// How long a connection on which nothing was announced is believed to be one: what is announced on a path that was cut
/// without a word is never heard.
const SILENCE: Duration = Duration::from_secs(30);
/// How long an announcement may hold up who made the change.
const ANNOUNCE: Duration = Duration::from_millis(250);

impl Registry {
    /// Refreshes the snapshot until `stop`: at every poll, and when a change is announced on Redis. Keeps it on disk.
    pub async fn follow(&self, stop: CancellationToken) {
        let both = async { tokio::join!(self.ask(), self.listen()) };
        let both = stop.run_until_cancelled(Box::pin(both));
        tokio::join!(both, Box::pin(self.keep(&stop)));
    }

    /// Tells other nodes that there is a new generation.
    pub(super) async fn announce(&self, generation: i64) {
        let Some((_, connection)) = &self.shared.redis else { return };
        let mut connection = connection.clone();
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(CHANNEL).arg(generation);
        let publish = async {
            // The first command after a lost connection fails, and the next one finds a new connection.
            if publish.query_async::<()>(&mut connection).await.is_ok() {
                return Ok(());
            }
            publish.query_async::<()>(&mut connection).await
        };
        let error = match timeout(ANNOUNCE, publish).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(elapsed) => elapsed.to_string(),
        };
        tracing::warn!(
            error,
            "A change of the registry could not be announced; other nodes notice it at their next poll."
        );
    }

    async fn ask(&self) {
        let mut ticks = interval(self.shared.options.poll.max(Duration::from_millis(10)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // What was found at the start has been said.
        let mut said = self.standing();
        loop {
            let is_asked = tokio::select! {
                _ = ticks.tick() => false,
                () = self.shared.asked.notified() => true,
            };
            said = self.say(said, &self.refresh().await);
            if is_asked {
                self.shared.looks.send_modify(|looks| *looks += 1);
            }
        }
    }

    async fn listen(&self) {
        let Some((client, _)) = &self.shared.redis else { return };
        let mut connected = true;
        loop {
            match timeout(CONNECT, subscribe(client)).await {
                Ok(Ok(mut announcements)) => {
                    if !connected {
                        tracing::info!(
                            "Redis answers again; changes of the registry are announced."
                        );
                    }
                    connected = true;
                    // What was announced while nobody listened.
                    self.refresh_quietly().await;
                    if self.hear(&mut announcements).await == Heard::Nothing {
                        continue;
                    }
                }
                Ok(Err(error)) if connected => {
                    tracing::warn!(
                        error = %error,
                        "Redis does not answer; changes of the registry are noticed by asking."
                    );
                    connected = false;
                }
                Err(_) if connected => {
                    tracing::warn!(
                        "Redis does not answer in time; changes of the registry are noticed by asking."
                    );
                    connected = false;
                }
                Ok(Err(_)) | Err(_) => {}
            }
            sleep(PAUSE).await;
        }
    }

    /// Refreshes at every announcement, until no more can come or none has come for long.
    async fn hear(&self, announcements: &mut redis::aio::PubSub) -> Heard {
        let mut messages = announcements.on_message();
        loop {
            match timeout(SILENCE, messages.next()).await {
                Ok(Some(_)) => self.refresh_quietly().await,
                Ok(None) => return Heard::Everything,
                Err(_elapsed) => return Heard::Nothing,
            }
        }
    }

    /// The poll says it when the database is gone.
    async fn refresh_quietly(&self) {
        if let Err(error) = self.refresh().await {
            tracing::debug!(error = %error, "An announced change could not be read yet.");
        }
    }
}

/// Why nothing more is heard.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    /// The connection ended.
    Everything,
    /// Nothing came for long.
    Nothing,
}

async fn subscribe(client: &redis::Client) -> redis::RedisResult<redis::aio::PubSub> {
    let mut connection = client.get_async_pubsub().await?;
    connection.subscribe(CHANNEL).await?;
    Ok(connection)
}
