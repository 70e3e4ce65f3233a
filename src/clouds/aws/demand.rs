//! placeholder until the mapping lands
use crate::model::{Demand, Instance, Market};
use std::collections::BTreeMap;

pub(super) struct VcpuQuota {
    pub(super) code: &'static str,
    pub(super) market: Market,
    pub(super) default: u32,
}
pub(super) const VCPU_QUOTAS: [VcpuQuota; 1] = [VcpuQuota {
    code: "L-1216C47A",
    market: Market::OnDemand,
    default: 5,
}];
pub(super) fn demand(_: &Instance, _: Market, _: &BTreeMap<String, String>) -> Demand {
    Demand::default()
}
