//! To which address the next request goes: of two taken at random, the one with fewer requests on their way.

use std::cell::Cell;
use std::rc::Rc;

use bytes::Bytes;
use http_body::Body;

use super::BodyError;
use super::lane::Lane;
use crate::data_plane::upstream::{Upstream, Use};

/// A sequence that no client can foresee enough of to matter, and that costs next to nothing (xorshift64*).
pub(super) struct Random(Cell<u64>);

impl Random {
    pub(super) fn new() -> Self {
        use std::hash::{BuildHasher, RandomState};
        // Never 0, from which it would not move.
        Self(Cell::new(RandomState::new().hash_one(0) | 1))
    }

    fn below(&self, bound: usize) -> usize {
        let mut x = self.0.get();
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.0.set(x);
        // The remainder of a number of 64 bits by a handful has no bias that anybody could measure.
        (x.wrapping_mul(0x2545_f491_4f6c_dd1d) % bound.max(1) as u64) as usize
    }
}

/// `None` when there is no address, or all were tried. Addresses that are ejected or unhealthy are used when no other is
/// left: some answer may be better than none.
pub(super) fn choose<B>(
    lanes: &[Rc<Lane<B>>],
    upstream: &Upstream,
    of: Use,
    tried: &[Rc<Lane<B>>],
    random: &Random,
) -> Option<Rc<Lane<B>>>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BodyError>,
{
    // With one address nothing is asked: there is nothing to choose.
    if let [only] = lanes {
        return tried.is_empty().then(|| Rc::clone(only));
    }
    let is_tried = |lane: &Rc<Lane<B>>| tried.iter().any(|other| Rc::ptr_eq(other, lane));
    let is_usable = |lane: &Rc<Lane<B>>| !is_tried(lane) && upstream.is_usable(&lane.address, of);
    of_two(lanes, is_usable, random).or_else(|| of_two(lanes, |lane| !is_tried(lane), random))
}

fn of_two<B: Body + 'static>(
    lanes: &[Rc<Lane<B>>],
    fits: impl Fn(&Rc<Lane<B>>) -> bool,
    random: &Random,
) -> Option<Rc<Lane<B>>> {
    let nth = |n| lanes.iter().filter(|lane| fits(lane)).nth(n);
    let count = lanes.iter().filter(|lane| fits(lane)).count();
    let first = random.below(count);
    let one = nth(first)?;
    if count == 1 {
        return Some(Rc::clone(one));
    }
    let other = nth((first + 1 + random.below(count - 1)) % count)?;
    let less = if other.in_flight() < one.in_flight() { other } else { one };
    Some(Rc::clone(less))
}

#[cfg(test)]
mod tests {
    use http_body_util::Empty;

    use super::super::lane::{Held, IdleRoom};
    use super::*;
    use crate::data_plane::upstream::{UpstreamConfig, Upstreams};

    type Lanes = Vec<Rc<Lane<Empty<Bytes>>>>;

    fn of(n: u8) -> (Upstreams, Lanes) {
        let mut config = UpstreamConfig::new("");
        config.authorities = (0..n).map(|n| format!("10.0.0.{n}:1")).collect();
        config.health.failures_max = 1;
        let upstreams = Upstreams::start(&config, None).unwrap();
        let room = IdleRoom::new(0, std::time::Duration::ZERO);
        let addresses = upstreams.control.addresses();
        let lanes = addresses.iter().map(|address| Rc::new(Lane::new(address.clone(), Rc::clone(&room))));
        let lanes = lanes.collect();
        (upstreams, lanes)
    }

    fn chosen(upstreams: &Upstreams, lanes: &Lanes, tried: &[Rc<Lane<Empty<Bytes>>>]) -> Option<usize> {
        let lane = choose(lanes, &upstreams.control, Use::Clients, tried, &Random::new())?;
        lanes.iter().position(|other| Rc::ptr_eq(other, &lane))
    }

    #[test]
    fn requests_go_where_there_are_fewer() {
        let (upstreams, lanes) = of(2);
        let _busy: Vec<_> = (0..3).map(|_| Held::new(Rc::clone(&lanes[0]))).collect();
        for _ in 0..100 {
            assert_eq!(chosen(&upstreams, &lanes, &[]), Some(1));
        }
    }

    #[test]
    fn all_addresses_get_a_share() {
        let (upstreams, lanes) = of(5);
        let mut held = Vec::new();
        for _ in 0..500 {
            let lane = choose(&lanes, &upstreams.control, Use::Clients, &[], &Random::new()).unwrap();
            held.push(Held::new(lane));
        }
        let counts: Vec<_> = lanes.iter().map(|lane| lane.in_flight()).collect();
        // Two choices keep them within a few of each other; chance alone would be off by tens.
        assert!(counts.iter().all(|count| (90..=110).contains(count)), "{counts:?}");
    }

    #[test]
    fn an_ejected_address_is_used_only_when_no_other_is_left() {
        let (upstreams, lanes) = of(2);
        upstreams.control.failed(&lanes[0].address, Use::Clients, &"a test");
        for _ in 0..100 {
            assert_eq!(chosen(&upstreams, &lanes, &[]), Some(1));
        }
        assert_eq!(chosen(&upstreams, &lanes, &lanes[1..]), Some(0), "the other one was tried");
        assert_eq!(chosen(&upstreams, &lanes, &lanes), None);
        // What shadows meet is another matter.
        let lane = || choose(&lanes, &upstreams.control, Use::Shadows, &[], &Random::new()).unwrap();
        assert!((0..100).any(|_| Rc::ptr_eq(&lane(), &lanes[0])));
    }

    #[test]
    fn one_address_is_always_used_and_none_never() {
        let (upstreams, lanes) = of(1);
        for _ in 0..9 {
            upstreams.control.failed(&lanes[0].address, Use::Clients, &"a test");
        }
        assert_eq!(chosen(&upstreams, &lanes, &[]), Some(0));
        assert_eq!(chosen(&upstreams, &lanes, &lanes), None);
        assert_eq!(chosen(&upstreams, &Vec::new(), &[]), None);
    }
}
