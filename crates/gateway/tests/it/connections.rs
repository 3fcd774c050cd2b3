//! What a client may do with one connection.

mod pipelined;
