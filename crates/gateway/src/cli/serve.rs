//! `muster serve`.

use crate::app::App;
use crate::config::Config;
use anyhow::{Context as _, bail};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Serves until SIGTERM or SIGINT; a second one does not wait for anything.
pub(super) async fn serve(config: Config) -> anyhow::Result<()> {
    run(App::bind(config).await?).await
}

pub(super) async fn run(app: App) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    let second = async {
        next(&mut terminate, &mut interrupt).await;
        stop.cancel();
        next(&mut terminate, &mut interrupt).await;
    };
    tokio::select! {
        result = app.run(stop.clone()) => result,
        () = second => bail!("stopped by a second signal before everything had ended"),
    }
}

async fn next(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

fn listen(kind: SignalKind) -> anyhow::Result<Signal> {
    signal(kind).context("signals cannot be received")
}
