//! A query finds what a plain walk over all rows would.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::bundled;
use crate::catalog::{Filter, Offer, Table};
use crate::model::Market;

#[test]
fn the_cheapest_come_first_and_unknown_prices_last() {
    let provider = bundled();
    let table = &provider.release.table;
    let prices: Vec<Option<f64>> = table
        .query(&Filter::default())
        .into_iter()
        .map(|row| table.offer(row).price)
        .collect();
    assert_eq!(prices.len(), table.len());
    assert!(prices.is_sorted_by(|a, b| match (a, b) {
        (Some(a), Some(b)) => a <= b,
        (_, None) => true,
        (None, Some(_)) => false,
    }));
}

#[test]
fn names_match_in_any_case() {
    let provider = bundled();
    let table = &provider.release.table;
    let filter = Filter {
        gpus: Some(vec!["h100".into(), "no such GPU".into()]),
        regions: Some(vec!["US-EAST-1".into()]),
        instance_types: Some(vec!["P5.48XLARGE".into()]),
        gpu_vendors: Some(vec!["NVIDIA".into()]),
        ..Filter::default()
    };
    assert_eq!(table.query(&filter).len(), 2);
}

#[test]
fn an_empty_list_of_names_asks_for_nothing() {
    let provider = bundled();
    let none = Some(Vec::new());
    for filter in [
        Filter {
            regions: none.clone(),
            ..Filter::default()
        },
        Filter {
            instance_types: none.clone(),
            ..Filter::default()
        },
        Filter {
            gpus: none.clone(),
            ..Filter::default()
        },
        Filter {
            gpu_vendors: none.clone(),
            ..Filter::default()
        },
    ] {
        assert!(provider.release.table.query(&filter).is_empty());
    }
}

#[test]
fn an_unknown_price_is_never_low_enough() {
    let provider = bundled();
    let table = &provider.release.table;
    let filter = Filter {
        max_price: Some(f64::INFINITY),
        ..Filter::default()
    };
    let rows = table.query(&filter);
    assert!(!rows.is_empty());
    assert!(rows.iter().all(|&row| table.offer(row).price.is_some()));
}

fn names(of: Vec<&'static str>) -> impl Strategy<Value = Option<Vec<String>>> {
    let all = of.len();
    proptest::option::weighted(
        0.4,
        subsequence(of, 0..=all).prop_map(|names| names.into_iter().map(Into::into).collect()),
    )
}

prop_compose! {
    fn filters()(
        regions in names(vec!["us-east-1", "eu-west-1", "sa-east-1", "nowhere"]),
        instance_types in names(vec!["p5.48xlarge", "g6.xlarge", "m5.large", "nothing"]),
        gpus in names(vec!["H100", "L4", "A10G", "T4", "nothing"]),
        gpu_vendors in names(vec!["nvidia", "amd"]),
        min_gpu_count in proptest::option::weighted(0.3, 0u32..9),
        max_gpu_count in proptest::option::weighted(0.3, 0u32..9),
        min_gpu_memory_gb in proptest::option::weighted(0.3, select(vec![0.0, 16.0, 24.0, 80.0])),
        max_gpu_memory_gb in proptest::option::weighted(0.3, select(vec![0.0, 16.0, 24.0, 80.0])),
        min_cpus in proptest::option::weighted(0.3, 0u32..200),
        min_memory_gb in proptest::option::weighted(0.3, 0.0..2000.0),
        market in proptest::option::weighted(0.3, select(vec![Market::OnDemand, Market::Spot])),
        max_price in proptest::option::weighted(0.3, 0.0..60.0),
    ) -> Filter {
        Filter {
            regions, instance_types, gpus, gpu_vendors, min_gpu_count, max_gpu_count,
            min_gpu_memory_gb, max_gpu_memory_gb, min_cpus, min_memory_gb, market, max_price,
        }
    }
}

fn meets(offer: &Offer<'_>, filter: &Filter) -> bool {
    let gpu = offer.shape.gpu.as_ref();
    let named = |list: &Option<Vec<String>>, name: Option<&str>| match list {
        None => true,
        Some(list) => name.is_some_and(|name| list.iter().any(|wanted| wanted == name)),
    };
    named(&filter.regions, Some(offer.region.as_str()))
        && named(&filter.instance_types, Some(&offer.shape.instance_type))
        && named(&filter.gpus, gpu.map(|gpu| &*gpu.name))
        && named(
            &filter.gpu_vendors,
            gpu.and_then(|gpu| gpu.vendor.as_deref()),
        )
        && filter
            .min_gpu_count
            .is_none_or(|min| gpu.map_or(0, |gpu| gpu.count) >= min)
        && filter
            .max_gpu_count
            .is_none_or(|max| gpu.map_or(0, |gpu| gpu.count) <= max)
        && filter
            .min_gpu_memory_gb
            .is_none_or(|min| gpu.and_then(|gpu| gpu.memory_gb).unwrap_or(0.0) >= min)
        && filter.max_gpu_memory_gb.is_none_or(|max| match gpu {
            Some(gpu) => gpu.memory_gb.is_some_and(|memory| memory <= max),
            None => true,
        })
        && filter
            .min_cpus
            .is_none_or(|min| offer.shape.cpus.unwrap_or(0) >= min)
        && filter
            .min_memory_gb
            .is_none_or(|min| offer.shape.memory_gb.unwrap_or(0.0) >= min)
        && filter.market.is_none_or(|market| offer.market == market)
        && filter
            .max_price
            .is_none_or(|max| offer.price.is_some_and(|price| price <= max))
}

fn walk(table: &Table, filter: &Filter) -> Vec<u32> {
    (0..table.len() as u32)
        .filter(|&row| meets(&table.offer(row), filter))
        .collect()
}

#[test]
fn a_query_finds_what_a_walk_over_all_rows_finds() {
    let provider = bundled();
    let table = &provider.release.table;
    let mut runner = proptest::test_runner::TestRunner::default();
    runner
        .run(&filters(), |filter| {
            prop_assert_eq!(table.query(&filter), walk(table, &filter));
            Ok(())
        })
        .unwrap();
}
