//! A provider's catalog comes from a directory or a web server, or stays as it was.

use std::fs;
use std::io::Write;
use std::sync::Arc;
use std::sync::Mutex;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;

use crate::catalog::{Catalog, Filter, Origin, Provider, Source};

const ONE_ROW: &str = "instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot\n\
     m5.large,us-east-1,0.096,2,8.0,0,,,False\n";
const TWO_ROWS: &str = "instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot\n\
     m5.large,us-east-1,0.096,2,8.0,0,,,False\n\
     m5.large,us-east-2,0.096,2,8.0,0,,,False\n";

fn state(catalog: &Catalog) -> Arc<Provider> {
    catalog.provider("nebius").unwrap()
}

fn rows(catalog: &Catalog) -> usize {
    let provider = state(catalog);
    provider.release.table.query(&Filter::default()).len()
}

fn said(catalog: &Catalog) -> String {
    state(catalog)
        .last_error
        .as_deref()
        .unwrap_or("nothing")
        .to_owned()
}

#[tokio::test]
async fn a_provider_without_bundled_data_says_so_and_offers_nothing() {
    let catalog = Catalog::new(Source::Bundled, ["oci".into()]);
    catalog.reload().await;
    let provider = catalog.provider("oci").unwrap();
    assert!(provider.release.table.is_empty());
    assert_eq!(
        provider.last_error.as_deref(),
        Some("no catalog of oci is bundled")
    );
    assert!(catalog.provider("aws").is_none());
}

#[tokio::test]
async fn a_directory_is_read_and_read_again_when_its_file_changes() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("nebius.csv");
    let catalog = Catalog::new(
        Source::Directory(directory.path().into()),
        ["nebius".into()],
    );

    catalog.reload().await;
    assert_eq!(
        (rows(&catalog), state(&catalog).release.origin),
        (69, Origin::Bundled)
    );
    assert!(said(&catalog).contains("nebius.csv cannot be read"));

    fs::write(&file, ONE_ROW).unwrap();
    catalog.reload().await;
    assert_eq!(
        (rows(&catalog), state(&catalog).release.origin),
        (1, Origin::Directory)
    );
    assert_eq!(said(&catalog), "nothing");

    let before = state(&catalog);
    catalog.reload().await;
    assert!(Arc::ptr_eq(&before.release, &state(&catalog).release));

    fs::write(&file, TWO_ROWS).unwrap();
    catalog.reload().await;
    assert_eq!(rows(&catalog), 2);
}

#[tokio::test]
async fn a_file_that_breaks_leaves_the_last_good_version() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("nebius.csv");
    fs::write(&file, TWO_ROWS).unwrap();
    let catalog = Catalog::new(
        Source::Directory(directory.path().into()),
        ["nebius".into()],
    );
    catalog.reload().await;

    let header = ONE_ROW.lines().next().unwrap();
    for (text, sentence) in [
        (
            "instance_name,price\n".to_owned(),
            "it has no column location, which is needed",
        ),
        (
            String::new(),
            "it has no column instance_name, which is needed",
        ),
        (header.to_owned(), "it has no rows"),
        (
            ONE_ROW.replace("m5", "\"m5"),
            "none of its 1 rows can be read (line 2: a quote is opened and not closed)",
        ),
    ] {
        fs::write(&file, text).unwrap();
        catalog.reload().await;
        assert_eq!(rows(&catalog), 2);
        assert!(said(&catalog).ends_with(sentence), "{}", said(&catalog));
    }
}

#[tokio::test]
async fn a_provider_that_fails_takes_nothing_from_one_that_loads() {
    let directory = tempfile::tempdir().unwrap();
    let catalog = Catalog::new(
        Source::Directory(directory.path().into()),
        ["nebius".into(), "gcp".into()],
    );
    fs::write(directory.path().join("nebius.csv"), TWO_ROWS).unwrap();
    catalog.reload().await;
    let gcp = catalog.provider("gcp").unwrap();
    let failure = gcp.last_error.as_deref().unwrap();
    assert!(failure.contains("gcp.csv cannot be read"), "{failure}");
    assert_eq!((rows(&catalog), said(&catalog)), (2, "nothing".into()));

    // And the other way round.
    fs::rename(
        directory.path().join("nebius.csv"),
        directory.path().join("gcp.csv"),
    )
    .unwrap();
    catalog.reload().await;
    let gcp = catalog.provider("gcp").unwrap();
    assert_eq!((gcp.release.table.len(), &gcp.last_error), (2, &None));
    assert_eq!(rows(&catalog), 2);
    assert!(said(&catalog).contains("nebius.csv cannot be read"));
}

/// The files that a web server publishes, and the requests that it got.
#[derive(Default)]
struct Site {
    version: String,
    archive: Vec<u8>,
    asked: Vec<String>,
}

type Shared = Arc<Mutex<Site>>;

async fn publish(site: Shared) -> String {
    async fn serve(
        State(site): State<Shared>,
        Path(path): Path<String>,
    ) -> Result<Vec<u8>, StatusCode> {
        let mut site = site.lock().unwrap();
        site.asked.push(path.clone());
        let archive = format!("nebius/{}/catalog.zip", site.version.trim());
        if path == "nebius/version" {
            Ok(site.version.clone().into_bytes())
        } else if path == archive {
            Ok(site.archive.clone())
        } else {
            Err(StatusCode::NOT_FOUND)
        }
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new()
        .route("/v3/{*path}", get(serve))
        .with_state(site);
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/v3/")
}

fn zipped(name: &str, text: &str) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive
        .start_file(name, zip::write::SimpleFileOptions::default())
        .unwrap();
    archive.write_all(text.as_bytes()).unwrap();
    archive.finish().unwrap().into_inner()
}

async fn published(version: &str, archive: Vec<u8>) -> (Shared, Catalog) {
    let site = Arc::new(Mutex::new(Site {
        version: version.into(),
        archive,
        asked: Vec::new(),
    }));
    let url = publish(site.clone()).await;
    let catalog = Catalog::new(Source::try_from(url).unwrap(), ["nebius".into()]);
    catalog.reload().await;
    (site, catalog)
}

#[tokio::test]
async fn a_published_catalog_is_downloaded_once_for_each_version() {
    let (site, catalog) = published("20261121-1\n", zipped("nebius.csv", ONE_ROW)).await;
    assert_eq!((rows(&catalog), said(&catalog)), (1, "nothing".into()));
    assert_eq!(
        state(&catalog).release.version.as_deref(),
        Some("20261121-1")
    );

    catalog.reload().await;
    {
        let mut site = site.lock().unwrap();
        let asked = std::mem::take(&mut site.asked);
        assert_eq!(
            asked,
            [
                "nebius/version",
                "nebius/20261121-1/catalog.zip",
                "nebius/version"
            ]
        );
        site.version = "20261121-2".into();
        site.archive = zipped("nebius.csv", TWO_ROWS);
    }
    catalog.reload().await;
    assert_eq!(rows(&catalog), 2);
}

#[tokio::test]
async fn a_published_catalog_that_fails_leaves_what_was_there() {
    for (version, archive, sentence) in [
        (
            "<html>no such bucket</html>",
            Vec::new(),
            "does not hold a version",
        ),
        ("../../etc", Vec::new(), "does not hold a version"),
        ("1", b"not an archive".to_vec(), "is not a readable archive"),
        ("1", zipped("aws.csv", ONE_ROW), "nebius.csv in http"),
        (
            "1",
            zipped("nebius.csv", "a,b\n1,2\n"),
            "it has no column instance_name",
        ),
    ] {
        let (_, catalog) = published(version, archive).await;
        assert!(said(&catalog).contains(sentence), "{}", said(&catalog));
        assert_eq!(
            (rows(&catalog), state(&catalog).release.origin),
            (69, Origin::Bundled)
        );
    }
}

#[tokio::test]
async fn a_version_that_goes_on_and_on_is_not_read_to_its_end() {
    let (_, catalog) = published(&"1".repeat(5000), Vec::new()).await;
    assert!(said(&catalog).ends_with("is larger than 100 bytes"));
}

#[tokio::test]
async fn a_web_server_that_is_away_is_said_to_be() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let catalog = Catalog::new(
        Source::try_from(format!("http://{address}")).unwrap(),
        ["nebius".into()],
    );
    catalog.reload().await;
    assert!(
        said(&catalog).contains("cannot be fetched"),
        "{}",
        said(&catalog)
    );
    assert_eq!(rows(&catalog), 69);
}
