//! Places for connections: so many in all, so many for one peer, and some for probes.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;

/// The most connections in all; each takes some tens of kilobytes.
const MOST: usize = 4096;

/// Descriptors for everything else: calls to clouds, files, the runtime.
const RESERVED_DESCRIPTORS: u64 = 256;

/// Places that only peers on this machine take who have few: probes, while all others are taken.
const FOR_PROBES: usize = 32;

/// The most connections that such a peer has.
const OF_A_PROBE: usize = 8;

/// The places that are taken.
#[derive(Clone, Debug)]
pub(super) struct Places {
    most: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_peer: HashMap<IpAddr, usize>,
}

/// A place, taken until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    peer: IpAddr,
    taken: Arc<Mutex<Taken>>,
}

impl Places {
    /// As many places as so many file descriptors allow.
    pub(super) fn for_descriptors(descriptors: u64) -> Self {
        let spare = descriptors.saturating_sub(RESERVED_DESCRIPTORS);
        let spare = usize::try_from(spare).unwrap_or(usize::MAX);
        Self::new(spare.clamp(2 * FOR_PROBES, MOST))
    }

    fn new(most: usize) -> Self {
        Self {
            most,
            taken: Arc::default(),
        }
    }

    /// Takes a place for a connection of this peer, if there is one.
    pub(super) fn take(&self, peer: IpAddr) -> Option<Place> {
        let is_near = peer.to_canonical().is_loopback();
        let peer = group(peer);
        let mut taken = self.taken.lock();
        let own = taken.by_peer.get(&peer).copied().unwrap_or_default();
        let is_probe = is_near && own < OF_A_PROBE;
        let most = match is_probe {
            true => self.most,
            false => self.most - FOR_PROBES,
        };
        if taken.all >= most || own >= self.most / 2 {
            return None;
        }
        taken.all += 1;
        taken.by_peer.insert(peer, own + 1);
        Some(Place {
            peer,
            taken: Arc::clone(&self.taken),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock();
        taken.all -= 1;
        if let Some(own) = taken.by_peer.get_mut(&self.peer) {
            *own -= 1;
            if *own == 0 {
                taken.by_peer.remove(&self.peer);
            }
        }
    }
}

/// The addresses that are one peer: of IPv6 a machine is given 64 bits of them.
fn group(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            let network = address.to_bits() >> 64 << 64;
            Ipv6Addr::from_bits(network).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(places: &Places, peer: &str, times: usize) -> Vec<Place> {
        let peer = peer.parse().unwrap();
        (0..times).map_while(|_| places.take(peer)).collect()
    }

    #[test]
    fn a_peer_has_half_of_the_places_at_most_and_gives_them_back() {
        let places = Places::new(200);
        let first = taken(&places, "192.0.2.1", 200);
        assert_eq!(first.len(), 100);
        // The same peer by the other family, and another one.
        assert_eq!(taken(&places, "::ffff:192.0.2.1", 1).len(), 0);
        let second = taken(&places, "192.0.2.2", 200);
        assert_eq!(second.len(), 100 - FOR_PROBES);
        drop(first);
        assert_eq!(taken(&places, "192.0.2.1", 1).len(), 1);
        drop(second);
        let taken = places.taken.lock();
        assert_eq!((taken.all, taken.by_peer.len()), (0, 0));
    }

    #[test]
    fn one_network_of_ipv6_is_one_peer() {
        let places = Places::new(200);
        let first = taken(&places, "2001:db8::1", 60);
        assert_eq!(taken(&places, "2001:db8::2", 60).len(), 40);
        assert_eq!(taken(&places, "2001:db8:0:1::1", 60).len(), 60);
        drop(first);
    }

    #[test]
    fn a_probe_finds_a_place_when_all_others_are_taken() {
        let places = Places::new(200);
        let _far = taken(&places, "192.0.2.1", 200);
        let _near = taken(&places, "127.0.0.2", 200);
        assert_eq!(taken(&places, "192.0.2.3", 1).len(), 0);
        for probe in ["127.0.0.1", "::1"] {
            assert_eq!(taken(&places, probe, 100).len(), OF_A_PROBE);
        }
    }

    #[test]
    fn there_are_places_however_few_the_descriptors() {
        for (descriptors, most) in [(64, 64), (1024, 768), (65_536, 4096), (u64::MAX, 4096)] {
            assert_eq!(Places::for_descriptors(descriptors).most, most);
        }
    }
}
