//! What a client may do with one connection.

mod expecting;
mod pipelined;
mod unreadable;
