//! The SCIM RFCs as values: parse, check, patch, filter, render.
