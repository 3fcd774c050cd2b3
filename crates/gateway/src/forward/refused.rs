//! What is said of a request that is not forwarded, or whose answer did not come.
//!
//! **Invariant**: says whether something may have been done, and what to do.

use super::RETRY_AFTER;
use crate::scim::error::Failure;
use crate::telemetry::http::CLIENT_GONE;
use actix_web::http::header;
use provisioning::Reason;
use region_router::peer::Unreachable;
use region_router::{Place, Region};

pub(super) fn too_late() -> Failure {
    Failure::new(
        Reason::RequestTimeout,
        "The request came when nobody waited for its answer any more. Nothing was changed; send it again.",
    )
    .with(header::RETRY_AFTER, RETRY_AFTER.to_string())
}

pub(super) fn moving() -> Failure {
    Failure::new(
        Reason::TenantMoving,
        "The account's data is being moved. Nothing was changed; the same request will work in a moment.",
    )
    .with(header::RETRY_AFTER, RETRY_AFTER.to_string())
}

pub(super) fn loops(place: &Place) -> Failure {
    Failure::new(
        Reason::RoutingLoop,
        format!(
            "The nodes send requests for region {} to each other, and none has its store. Nothing was changed; the operator has to set it right.",
            place.region
        ),
    )
}

/// Why a peer gave no answer.
pub(super) fn unreachable(
    why: Unreachable,
    region: &Region,
    base_url: impl FnOnce() -> String,
) -> Failure {
    let later = |reason, text: String, seconds: u64| {
        Failure::new(reason, text).with(header::RETRY_AFTER, seconds.to_string())
    };
    match why {
        Unreachable::Open(pause) => later(
            Reason::RegionUnreachable,
            format!(
                "Region {region} does not answer at the moment. Nothing was changed; send the same request again later."
            ),
            pause.as_secs() + 1,
        ),
        Unreachable::Full => later(
            Reason::RegionUnreachable,
            format!(
                "Too many requests are on their way to region {region}. Nothing was changed; send the same request again in a moment."
            ),
            1,
        ),
        Unreachable::Failed => later(
            Reason::RegionUnreachable,
            format!(
                "Region {region} does not answer at the moment. Send the same request again later; if it was done meanwhile, the answer will say so."
            ),
            RETRY_AFTER,
        ),
        Unreachable::Late => later(
            Reason::RequestTimeout,
            format!(
                "Region {region} did not answer in time. Send the same request again; if it was done meanwhile, the answer will say so."
            ),
            RETRY_AFTER,
        ),
        Unreachable::BrokenOff => {
            let text = "The client went away before its answer came.";
            Failure::new(Reason::RequestTimeout, text).status(CLIENT_GONE)
        }
        Unreachable::Unwritable => Failure::not_here(region, &base_url()),
    }
}
