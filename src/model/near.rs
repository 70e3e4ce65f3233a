//! Addresses that no proxy can reach for us, because they are of this machine.

use std::net::{IpAddr, Ipv6Addr};

/// Whether a host of a URL is on this machine or its link, where no proxy leads: loopback, the
/// link-local addresses of metadata services, and the one internal name that such a service has.
pub fn is_near(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let of_v6 = |address: Ipv6Addr| match address.to_ipv4_mapped() {
        Some(mapped) => IpAddr::V4(mapped),
        None => IpAddr::V6(address),
    };
    let address = match bare.parse() {
        Ok(IpAddr::V6(address)) => Ok(of_v6(address)),
        other => other,
    };
    match address {
        // A connection to the unspecified address arrives at this machine.
        Ok(IpAddr::V4(address)) => {
            address.is_loopback() || address.is_link_local() || address.is_unspecified()
        }
        Ok(IpAddr::V6(address)) => {
            address.is_loopback() || address.is_unicast_link_local() || address.is_unspecified()
        }
        Err(_) => {
            let name = host.trim_end_matches('.').to_ascii_lowercase();
            // RFC 6761, section 6.3, and Google's name of its metadata service.
            name == "localhost"
                || name.ends_with(".localhost")
                || name == "metadata.google.internal"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_hosts_are_told_from_others() {
        for host in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "[::1]",
            "::1",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[fe80::1]",
            "169.254.169.254",
            "localhost",
            "LocalHost.",
            "compute.localhost",
            "metadata.google.internal",
        ] {
            assert!(is_near(host), "{host}");
        }
        for host in [
            "",
            "10.0.0.1",
            "[2001:db8::1]",
            "[::ffff:10.0.0.1]",
            "management.azure.com",
            "localhost.example.com",
            "notlocalhost",
            // A name of a company's own network, which a proxy may well know.
            "quotas.corp.internal",
        ] {
            assert!(!is_near(host), "{host}");
        }
    }
}
