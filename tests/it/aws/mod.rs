//! Behaviour that only AWS has, and what is made of it.

mod access;
mod kept;
mod more_quotas;
mod rates;
mod usage;

/// The one region that most stories read.
const REGION: &str = "/quotas/aws/us-east-1";
