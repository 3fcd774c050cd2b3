//! People and groups of one region: users, memberships, seats, decisions, changes.
