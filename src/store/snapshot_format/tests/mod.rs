//! Encoding and decoding of any snapshot; the bytes of each format are in `fixtures`.

mod fixtures;

use std::sync::Arc;

use jiff::Timestamp;
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;

use super::*;
use crate::model::{
    AccountId, Amount, Container, Failure, FailureKind, Limit, LimitSource, Market, Moment, Native,
    Quota, QuotaKey, QuotaMarket, Region, Restriction, RestrictionKind, Scope, Snapshot, Unit,
    Usage, UsageRange,
};

fn text() -> impl Strategy<Value = Arc<str>> {
    ".{0,12}".prop_map(Arc::from)
}

fn amount() -> impl Strategy<Value = Amount> {
    prop_oneof![
        Just(0.0),
        (0..10_000u32).prop_map(f64::from),
        0.0..1e16f64,
        Just(f64::MAX),
    ]
    .prop_map(|value| Amount::new(value).unwrap())
}

fn time() -> impl Strategy<Value = Timestamp> {
    (0..4_000_000_000i64, 0..1_000_000_000i32)
        .prop_map(|(second, nanosecond)| Timestamp::new(second, nanosecond).unwrap())
}

fn limit() -> impl Strategy<Value = Limit> {
    prop_oneof![
        amount().prop_map(Limit::Known),
        Just(Limit::Unlimited),
        Just(Limit::Inherited),
        Just(Limit::Unknown),
    ]
}

fn usage() -> impl Strategy<Value = Usage> {
    prop_oneof![
        (amount(), of(time()), of((amount(), amount()))).prop_map(|(amount, as_of, range)| {
            let range = range.map(|(least, most)| UsageRange { least, most });
            Usage::Known {
                amount,
                as_of,
                range,
            }
        }),
        (amount(), time()).prop_map(|(amount, as_of)| Usage::Outdated { amount, as_of }),
        Just(Usage::Unknown),
    ]
}

fn words() -> impl Strategy<Value = (Unit, QuotaMarket, Scope, LimitSource)> {
    use {LimitSource as S, QuotaMarket as M, Scope as P, Unit as U};
    (
        proptest::sample::select(vec![U::Vcpu, U::Gpu, U::Instance, U::Byte, U::Count]),
        proptest::sample::select(vec![M::OnDemand, M::Spot, M::Reserved, M::Any]),
        proptest::sample::select(vec![P::Region, P::Zone, P::Global]),
        proptest::sample::select(vec![S::Applied, S::Learned, S::Configured, S::Default]),
    )
}

prop_compose! {
    fn quota()(
        (service, code, name) in (text(), text(), text()),
        (unit, market, scope, limit_source) in words(),
        container in of((text(), text())),
        (limit, usage, default) in (limit(), usage(), of(amount())),
        (adjustable, observed_at) in (any::<Option<bool>>(), of(time())),
        (increase_url, increase_command) in (of(text()), of(text())),
        native in of((1.0..1e12f64, btree_map(".{0,8}", ".{0,8}", 0..3))),
    ) -> Quota {
        Quota {
            observed_at: observed_at.map(Moment::from),
            state: Default::default(),
            key: QuotaKey::new(service, code),
            name,
            unit,
            market,
            scope,
            container: container.map(|(kind, id)| Container { kind, id }),
            limit,
            limit_source,
            usage,
            adjustable,
            default,
            increase_url,
            increase_command,
            native: native.map(|(unit_size, members)| Arc::new(Native { unit_size, members })),
        }
    }
}

prop_compose! {
    fn failure()(kind in 0..7usize, detail in ".{0,20}", advice in of(".{0,20}")) -> Failure {
        use FailureKind as K;
        let kinds = [
            K::Denied, K::NotEnabled, K::NotFound, K::Throttled, K::Timeout, K::Unavailable,
            K::Malformed,
        ];
        Failure { hint: advice, ..Failure::new(kinds[kind], detail) }
    }
}

prop_compose! {
    fn restriction()(
        instance_type in text(),
        market in proptest::sample::select(vec![None, Some(Market::OnDemand), Some(Market::Spot)]),
        kind in proptest::sample::select(vec![
            RestrictionKind::NotOffered, RestrictionKind::Subscription, RestrictionKind::Zones,
        ]),
        reason in text(),
    ) -> Restriction {
        Restriction { instance_type, market, kind, reason }
    }
}

prop_compose! {
    fn reading()(
        account in of(text()),
        regions in btree_map(".{0,8}", vec(quota(), 0..4), 0..3),
        restrictions in btree_map(".{0,8}", vec(restriction(), 0..3), 0..3),
        gaps in vec(failure(), 0..3),
    ) -> Reading {
        let snapshot = |(region, quotas)| (Region::new(region), Arc::new(Snapshot::new(quotas)));
        Reading {
            account: account.map(AccountId::new),
            regions: regions.into_iter().map(snapshot).collect(),
            restrictions: restrictions.into_iter().map(|(region, list)| (Region::new(region), list)).collect(),
            gaps,
            ..Reading::default()
        }
    }
}

prop_compose! {
    fn snapshot()(
        (backend, unit, settings) in (text(), text(), text()),
        reading in reading(),
        taken_at in time(),
    ) -> Decoded {
        Decoded {
            snapshot: StoredSnapshot {
                key: UnitKey { backend: (&*backend).into(), unit: (&*unit).into() },
                reading: Arc::new(reading),
                taken_at,
            },
            fingerprint: StoredFingerprint::Account(settings.to_string()),
        }
    }
}

fn bytes(decoded: &Decoded) -> Vec<u8> {
    let (StoredFingerprint::Account(digest) | StoredFingerprint::AllSettings(digest)) =
        &decoded.fingerprint;
    encode(&decoded.snapshot, digest).unwrap()
}

proptest! {
    #[test]
    fn an_encoded_snapshot_decodes_to_itself(snapshot in snapshot()) {
        let bytes = bytes(&snapshot);
        prop_assert_eq!(decode(&bytes), Ok(snapshot));
    }

    #[test]
    fn a_torn_file_is_refused(snapshot in snapshot(), kept in 0.0..1.0f64) {
        let bytes = bytes(&snapshot);
        let kept = (bytes.len() as f64 * kept) as usize;
        prop_assert!(decode(&bytes[..kept]).is_err());
    }

    #[test]
    fn decoding_any_bytes_does_not_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes);
    }
}
