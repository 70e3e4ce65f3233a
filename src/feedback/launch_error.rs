//! The error of a launch, as its caller met it.

use serde_json::Value;

use crate::model::Market;

/// The most bytes of an error's text that are looked at. The longest real one is a tenth of it.
pub const MOST_TEXT: usize = 64 * 1024;

/// The error of a launch, and the launch as its caller knows it.
#[derive(Clone, Copy, Debug)]
pub struct LaunchError<'a> {
    /// The cloud's own region name.
    pub region: Option<&'a str>,
    /// The zone.
    pub zone: Option<&'a str>,
    /// The cloud's name of the type.
    pub instance_type: Option<&'a str>,
    /// The market it would have been paid in.
    pub market: Market,
    /// The code that came with the error.
    pub code: Option<&'a str>,
    /// The text, perhaps wrapped by whoever passed it on.
    pub message: &'a str,
    /// The status of an answer over HTTP.
    pub http_status: Option<u16>,
    /// The status of an answer over gRPC, by name or number.
    pub grpc_code: Option<&'a str>,
    /// Structured details, as far as the cloud sent any.
    pub details: Option<&'a Value>,
}

impl LaunchError<'_> {
    /// An error of which nothing is known yet.
    pub const EMPTY: Self = Self {
        region: None,
        zone: None,
        instance_type: None,
        market: Market::OnDemand,
        code: None,
        message: "",
        http_status: None,
        grpc_code: None,
        details: None,
    };
}
