//! The demand of an offer, by what the cloud says of its platforms.

use super::*;
use crate::model::{Amount, Instance, Market, Snapshot};

fn instance(instance_type: &str) -> Instance {
    Instance {
        instance_type: instance_type.into(),
        cpus: None,
        memory_gb: None,
        gpu: None,
        disk_gb: None,
        public_ip: false,
    }
}

#[tokio::test]
async fn the_clouds_own_word_on_a_platform_replaces_the_naming_rule() {
    let mut account = account();
    account.quotas = vec![tenant_row(H100, 32)];
    account.platforms[0].gpu_quota = "compute.instance.gpu.hopper".to_owned();
    let story = Story::with(account, "", RegionChoice::Default).await;
    let instance = instance("gpu-h100-sxm 8gpu-128vcpu-1600gb");
    let first_draw = || {
        let demand = story
            .source
            .demand(&instance, Market::OnDemand, &Snapshot::default());
        let draw = demand.draws[0].clone();
        (draw.quota.code.to_string(), draw.amount.map(Amount::get))
    };
    assert_eq!(first_draw(), (H100.to_owned(), None));
    story.read().await.unwrap();
    assert_eq!(
        first_draw(),
        ("compute.instance.gpu.hopper".to_owned(), Some(8.0))
    );
}

#[tokio::test]
async fn every_code_that_a_demonstrated_platform_draws_on_is_among_its_quotas() {
    let demo = Account::demo();
    let platforms = demo.platforms.clone();
    let story = Story::with(demo, "", RegionChoice::Default).await;
    let reading = story.read().await.unwrap();
    assert_eq!(reading.gaps, []);
    for platform in platforms {
        let markets = [Market::OnDemand, Market::Spot];
        for market in markets
            .into_iter()
            .filter(|m| *m == Market::OnDemand || platform.spot)
        {
            let mut instance = instance(&format!("{} 8gpu", platform.name));
            instance.disk_gb = Some(100.0);
            instance.public_ip = true;
            let demand = story.source.demand(&instance, market, &Snapshot::default());
            assert_eq!(demand.unmapped, None);
            for draw in demand.draws {
                let rows = rows(&reading, &platform.region, &draw.quota.code);
                let tenants = rows.iter().filter(|row| layer(row) == "tenant");
                assert_eq!(tenants.count(), 1, "{} of {}", draw.quota, platform.name);
            }
        }
    }
}
