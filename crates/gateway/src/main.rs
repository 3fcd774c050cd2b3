//! `muster`: parse the command line and dispatch.

use std::process::ExitCode;

/// Frees memory back to the system sooner than the system's own allocator, and is faster under many threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Several libraries bring TLS; they take the provider of the process, which must be there before the first of them.
    // An error means that it is there already.
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    gateway::cli::run()
}
