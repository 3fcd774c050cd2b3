//! The history of both schemas, and opening a database.
