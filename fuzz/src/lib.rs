//! The bodies of the fuzz targets: the same files that `make test` runs over the seeds.

#[path = "../../crates/scim-core/tests/it/fuzz/body.rs"]
mod body_target;
#[path = "../../crates/scim-core/tests/it/fuzz/bulk.rs"]
mod bulk_target;
#[path = "../../crates/scim-core/tests/it/fuzz/filter.rs"]
mod filter_target;
#[path = "../../crates/scim-core/tests/it/fuzz/patch.rs"]
mod patch_target;
#[path = "../../crates/scim-core/tests/it/fuzz/path.rs"]
mod path_target;
#[path = "../../crates/scim-core/tests/it/fuzz/scene.rs"]
mod scene;
#[cfg(feature = "token")]
#[path = "../../crates/tenant-registry/tests/it/fuzz/token.rs"]
mod token_target;

/// A filter.
pub fn filter(data: &[u8]) {
    filter_target::run(data);
}

/// A path.
pub fn path(data: &[u8]) {
    path_target::run(data);
}

/// The body of a PATCH.
pub fn patch(data: &[u8]) {
    patch_target::run(data);
}

/// The body of a POST or PUT.
pub fn body(data: &[u8]) {
    body_target::run(data);
}

/// An `Authorization` header.
#[cfg(feature = "token")]
pub fn token(data: &[u8]) {
    token_target::run(data);
}

/// The body of a Bulk request, or of a search.
pub fn bulk(data: &[u8]) {
    bulk_target::run(data);
}
