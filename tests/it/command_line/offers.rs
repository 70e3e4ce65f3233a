//! `offers` in a terminal: the table, the answer as it came, and what a flag asks for.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::RawQuery;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::harness::{Process, Setup, plain_aws};

use super::{refused, said_by};

#[tokio::test(flavor = "multi_thread")]
async fn offers_are_shown_as_a_table_or_as_they_came() {
    let aws = plain_aws().await;
    let file = Setup::new(&aws).set("backends.0.preload", false).write();
    let (_process, url) = Process::serve(&file.path, &[]).await;
    let ask = |arguments: &[&str]| said_by(&[&["offers", "--url", &url], arguments].concat());

    let (table, said, code) = ask(&["--gpu", "H100", "--spot", "false", "--limit", "1"]);
    assert_eq!((code, &*said), (0, ""));
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("aws is idle: nothing usable is known of us-east-1"));
    let header: Vec<&str> = lines[1].split_whitespace().collect();
    assert_eq!(
        (header.first(), header.last()),
        (Some(&"PLACE"), Some(&"REASON"))
    );
    for part in ["aws/us-east-1", "p5.4xlarge", "16 vCPU", "unknown", "?"] {
        assert!(lines[2].contains(part), "{part}: {table}");
    }
    assert_eq!(
        lines[3],
        "1 of 2 offers, 0 of these available; `--limit 0` shows all"
    );

    // The next page is for programs.
    let page = |cursor: &[&str]| {
        let filters = ["--gpu", "H100", "--spot", "false", "--limit", "1", "--json"];
        let (json, _, code) = ask(&[&filters[..], cursor].concat());
        assert_eq!(code, 0, "{json}");
        serde_json::from_str::<Value>(&json).unwrap()
    };
    let first = page(&[]);
    let second = page(&["--cursor", first["next_cursor"].as_str().unwrap()]);
    assert_eq!(second["offers"][0]["instance_type"], "p5.48xlarge");
    assert!(second["next_cursor"].is_null(), "{second}");

    let (json, _, code) = ask(&["--gpu", "H100", "--json"]);
    assert_eq!(code, 0);
    let answer: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(answer["offers"].as_array().unwrap().len(), 4);

    for (flag, value, sentence) in [
        (
            "--count",
            "0",
            "`count` is a whole number from 1 to 10000, not `0`",
        ),
        (
            "--cursor",
            "x",
            "`cursor` is not one that an answer in this order has given",
        ),
    ] {
        let said = refused(&["offers", "--url", &url, flag, value], 2);
        assert_eq!(said, sentence);
    }
    // Of names that it knows, the program itself says which there are.
    let (_, said, code) = ask(&["--sort", "prize"]);
    assert_eq!(code, 2);
    for part in ["--sort", "'prize'", "price, launchable", "'price'"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_flag_arrives_as_its_parameter() {
    let heard = Arc::<Mutex<String>>::default();
    let hearing = Arc::clone(&heard);
    let listen = async move |RawQuery(query): RawQuery| {
        *hearing.lock().unwrap() = query.unwrap_or_default();
        "heard"
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/offers", axum::routing::get(listen));
    tokio::spawn(async move { axum::serve(listener, router).await });

    let ask = |arguments: &[&str]| {
        let asked = [&["offers", "--url", &url, "--json"], arguments].concat();
        assert_eq!(said_by(&asked), ("heard\n".into(), String::new(), 0));
        heard.lock().unwrap().clone()
    };
    let flags = [
        ("--backend", "aws"),
        ("--backend", "nebius"),
        ("--region", "us-east-1"),
        ("--region", "eu-north1"),
        ("--instance-type", "p5.48xlarge"),
        ("--instance-type", "g6.xlarge"),
        ("--gpu", "H100"),
        ("--gpu", "L4"),
        ("--gpu-vendor", "nvidia"),
        ("--gpu-vendor", "amd"),
        ("--min-gpu-count", "1"),
        ("--max-gpu-count", "8"),
        ("--min-gpu-memory-gb", "79.5"),
        ("--max-gpu-memory-gb", "80.5"),
        ("--min-cpus", "4"),
        ("--min-memory-gb", "16.25"),
        ("--spot", "true"),
        ("--max-price", "12.5"),
        ("--availability", "available"),
        ("--availability", "unknown"),
        ("--count", "3"),
        ("--sort", "launchable"),
        ("--limit", "0"),
        ("--cursor", "abc"),
    ];
    let arguments = flags.iter().flat_map(|(flag, value)| [*flag, *value]);
    let asked = ask(&arguments.collect::<Vec<_>>());
    let expected: Vec<String> = flags
        .iter()
        .map(|(flag, value)| format!("{}={value}", flag[2..].replace('-', "_")))
        .collect();
    assert_eq!(asked, expected.join("&"));

    // dstack's words for the same.
    for (words, parameters) in [
        (
            "-b aws -r us-east-1 --gpu H100:8 --spot",
            "backend=aws&region=us-east-1&gpu=H100&min_gpu_count=8&max_gpu_count=8&spot=true",
        ),
        (
            "--gpu nvidia:A100:40GB..:2.. --on-demand",
            "gpu=A100&gpu_vendor=nvidia&min_gpu_count=2&min_gpu_memory_gb=40.0&spot=false",
        ),
        ("--max-price 2", "min_gpu_count=1&max_price=2.0"),
        ("--all", ""),
    ] {
        let words: Vec<_> = words.split(' ').collect();
        assert_eq!(ask(&words), parameters, "{words:?}");
    }

    // Those were all of its own flags.
    let (help, _, _) = said_by(&["offers", "--help"]);
    let words = help.split(|c: char| c != '-' && !c.is_ascii_alphanumeric());
    let known: BTreeSet<&str> = words.filter(|word| word.starts_with("--")).collect();
    let others = [
        "--on-demand",
        "--all",
        "--json",
        "--wide",
        "--url",
        "--token-file",
        "--help",
    ];
    let tried = flags.iter().map(|(flag, _)| *flag).chain(others);
    assert_eq!(known, tried.collect());
}
