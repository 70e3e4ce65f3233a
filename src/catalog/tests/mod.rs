use std::sync::OnceLock;

use super::*;
use crate::model::{Market, PriceBasis};

mod loading;
mod querying;

/// The bundled data of AWS, which all tests share, as reading it is slow in a test build.
fn bundled() -> Arc<Provider> {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    let catalog = CATALOG.get_or_init(|| Catalog::new(Source::Bundled, ["aws".into()]));
    catalog.provider("aws").unwrap()
}

#[test]
fn the_bundled_catalogs_are_whole() {
    let nebius = Catalog::new(Source::Bundled, ["nebius".into()]).provider("nebius");
    for (provider, rows, shapes, regions) in
        [(bundled(), 40_674, 1_290, 30), (nebius.unwrap(), 69, 37, 3)]
    {
        let release = &provider.release;
        let table = &release.table;
        let sizes = (table.len(), table.shapes().len(), table.regions().len());
        assert_eq!((sizes, release.damaged_rows), ((rows, shapes, regions), 0));
    }
}

#[test]
fn an_offer_is_found_by_its_name() {
    let provider = bundled();
    let table = &provider.release.table;
    let offer = table
        .find("us-east-1", "P5.48xlarge", Market::OnDemand)
        .unwrap();
    let gpu = offer.shape.gpu.as_ref().unwrap();
    assert_eq!(
        (&*gpu.name, gpu.count, gpu.memory_gb),
        ("H100", 8, Some(80.0))
    );
    assert_eq!(
        (offer.shape.cpus, offer.shape.memory_gb),
        (Some(192), Some(2048.0))
    );
    assert_eq!(
        (offer.price, offer.price_basis),
        (Some(55.04), PriceBasis::Listed)
    );

    let spot = table
        .find("us-east-1", "p5.48xlarge", Market::Spot)
        .unwrap();
    assert_eq!((spot.price, spot.price_basis), (None, PriceBasis::Unknown));
    assert_eq!(table.find("us-east-1", "p99.large", Market::Spot), None);
    assert_eq!(table.find("mars-1", "p5.48xlarge", Market::Spot), None);
}

#[test]
fn a_type_is_known_where_it_is_not_offered() {
    let provider = bundled();
    let table = &provider.release.table;
    assert_eq!(
        table.find("me-south-1", "p5.48xlarge", Market::OnDemand),
        None
    );
    assert_eq!(table.type_by_name("p5.48xlarge").unwrap().cpus, Some(192));
    assert_eq!(table.type_by_name("p99.large"), None);
}

#[test]
fn a_type_by_name_says_only_what_all_its_shapes_share() {
    let csv = "instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot\n\
        n1,r,1,8,30,1,T4,16,False\n\
        n1,r,2,8,32,1,V100,16,False\n";
    let table = parse::parse(&"gcp".into(), csv.as_bytes()).unwrap().table;
    let shape = table.type_by_name("n1").unwrap();
    assert_eq!(
        (shape.cpus, shape.memory_gb, shape.gpu),
        (Some(8), None, None)
    );
    let offer = table.find("r", "n1", Market::OnDemand).unwrap();
    assert_eq!(offer.price, Some(1.0));
    assert_eq!(table.only_shape("n1"), None);

    let provider = bundled();
    let table = &provider.release.table;
    let only = table.only_shape("p5.48xlarge").unwrap();
    assert_eq!(table.shapes()[only].cpus, Some(192));
}

#[test]
fn a_type_that_comes_with_several_gpus_is_found_by_type_and_gpu() {
    let csv = "instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot\n\
        n1-standard-8,r,0.4,8,30,0,,,False\n\
        n1-standard-8,r,0.7,8,30,1,T4,16,False\n\
        n1-standard-8,s,0.8,8,30,1,T4,16,False\n\
        n1-standard-8,r,1.0,8,30,2,T4,16,False\n\
        n1-standard-8,r,2.9,8,30,1,V100,16,False\n\
        a2,r,4,12,85,1,A100,40,False\n\
        a2,r,5,12,85,1,A100,80,False\n";
    let table = parse::parse(&"gcp".into(), csv.as_bytes()).unwrap().table;
    let gpu = |instance_type: &str, name, count| {
        let place = table.shape_for(instance_type, name, count)?;
        let gpu = table.shapes()[place].gpu.as_ref();
        Some(gpu.map(|gpu| (&*gpu.name, gpu.count)))
    };
    assert_eq!(gpu("n1-standard-8", Some("T4"), 1), Some(Some(("T4", 1))));
    assert_eq!(gpu("N1-Standard-8", Some("t4"), 2), Some(Some(("T4", 2))));
    assert_eq!(
        gpu("n1-standard-8", Some("V100"), 1),
        Some(Some(("V100", 1)))
    );
    assert_eq!(gpu("n1-standard-8", None, 0), Some(None));

    assert_eq!(gpu("n1-standard-8", Some("V100"), 2), None);
    assert_eq!(gpu("n1-standard-8", Some("A100"), 1), None);
    assert_eq!(gpu("n2-standard-8", Some("T4"), 1), None);
    // Two shapes that differ in the memory of the GPU alone are still two.
    assert_eq!(gpu("a2", Some("A100"), 1), None);
    assert_eq!(table.only_shape("n1-standard-8"), None);
}
