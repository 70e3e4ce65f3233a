//! Instance types, and how an instance is paid for.

use strum::{EnumString, IntoStaticStr, VariantArray};

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// How an instance is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Market {
    /// At the listed price, until stopped.
    OnDemand,
    /// At a lower price, until the cloud wants it back.
    Spot,
}

/// One instance to launch: what a cloud needs to know to say which quotas it draws on, in
/// whatever region.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// The cloud's name of the type, such as `p5.48xlarge`.
    pub instance_type: Arc<str>,
    /// Virtual CPUs, if known.
    pub cpus: Option<u32>,
    /// Memory in GiB, if known.
    pub memory_gb: Option<f64>,
    /// The GPUs, if known and any.
    pub gpu: Option<Gpu>,
    /// Disk to create with it, in GiB, if that is to be judged.
    pub disk_gb: Option<f64>,
    /// Whether it takes a public IPv4 address, if that is to be judged.
    pub public_ip: bool,
}

/// The GPUs of an instance type.
#[derive(Clone, Debug, PartialEq)]
pub struct Gpu {
    /// The model, such as `H100`.
    pub name: Arc<str>,
    /// How many.
    pub count: u32,
    /// Memory of each in GiB, if known.
    pub memory_gb: Option<f64>,
    /// The maker, such as `nvidia`.
    pub vendor: Option<Arc<str>>,
}

/// Where a price comes from.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    IntoStaticStr,
    EnumString,
    VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum PriceBasis {
    /// The provider publishes it.
    Listed,
    /// It is derived from the price in another region.
    Estimated,
    /// There is none.
    Unknown,
}

impl PriceBasis {
    /// Returns the word of the public contract.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
