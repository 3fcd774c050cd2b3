//! The process: HTTP, command line, configuration, telemetry.
