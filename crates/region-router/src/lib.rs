//! Regions, populations and hosts: here, elsewhere or refused.
