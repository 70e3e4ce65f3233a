//! The cost of many accounts in one process: memory, start, answers, metrics and idle processor
//! time with N AWS backends of 17 regions each, which a simulated AWS in another process serves.
//!
//! A load run, not a timed test: it prints a table with the growth from the fewest accounts on,
//! and fails when a bound is broken. Run with `cargo bench --bench accounts`, or for some numbers
//! of accounts only with `cargo bench --bench accounts -- --accounts 1,10`.

mod process;
mod simulated;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use process::{SECRET, Service};
use simulated::{access_key_id, keep_busy, run_as_other_process, start_aws};

/// Numbers of accounts of a whole run.
const ACCOUNTS: [usize; 4] = [1, 10, 100, 300];

/// Bounds hold up to this many accounts; above it figures are printed only.
const BOUNDED: usize = 100;

/// Regions that AWS enables in a new account.
const REGIONS: usize = 17;

/// Regions that are read anew, one a round, so that no rate limit adds to another round's.
const REFRESHED: [&str; 5] = [
    "us-east-1",
    "us-east-2",
    "us-west-2",
    "eu-west-1",
    "eu-north-1",
];

/// Pages with a filter that changes at every call (`{}`), so that no earlier answer is of use.
const PAGES: [(&str, &str); 6] = [
    ("page: a new price", "/offers?limit=100&max_price=30.{}"),
    (
        "page: new cores and memory",
        "/offers?limit=100&min_cpus=2&min_memory_gb=7.{}",
    ),
    (
        "page: available, two",
        "/offers?availability=available&count=2&max_price=31.{}",
    ),
    (
        "page: no quota",
        "/offers?availability=no_quota&max_price=32.{}",
    ),
    (
        "page: by launchable",
        "/offers?sort=launchable&max_price=33.{}",
    ),
    (
        "page: H100 on-demand, one",
        "/offers?gpu=H100&spot=false&limit=1&max_price=99.{}",
    ),
];

/// Median milliseconds that the first page may take, and any other single page.
const FIRST_PAGE_MS: f64 = 5.0;
const PAGE_MS: f64 = 20.0;

fn main() {
    if run_as_other_process() {
        return;
    }
    let runs: Vec<(usize, Figures)> = accounts()
        .into_iter()
        .map(|accounts| (accounts, measure(accounts)))
        .collect();
    print_table(&runs);
    let broken: Vec<String> = runs
        .iter()
        .filter(|(accounts, _)| *accounts <= BOUNDED)
        .flat_map(|(accounts, figures)| figures.broken(*accounts))
        .collect();
    if !broken.is_empty() {
        eprintln!("out of bounds:\n{}", broken.join("\n"));
        std::process::exit(1);
    }
}

/// Numbers from `--accounts 1,10`, or those of a whole run.
fn accounts() -> Vec<usize> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--accounts");
    let Some(list) = arguments.nth(1) else {
        return ACCOUNTS.to_vec();
    };
    let number = |text: &str| {
        text.parse()
            .expect("--accounts takes numbers with commas between")
    };
    list.split(',').map(number).collect()
}

/// Named figures, each with the largest value that is still in bounds.
#[derive(Default)]
struct Figures(Vec<(String, f64, Option<f64>)>);

impl Figures {
    fn note(&mut self, name: &str, figure: f64, bound: impl Into<Option<f64>>) {
        println!("  {name}: {figure:.2}");
        self.0.push((name.to_owned(), figure, bound.into()));
    }

    fn broken(&self, accounts: usize) -> Vec<String> {
        let broken = self.0.iter().filter_map(|(name, figure, bound)| {
            let bound = bound.filter(|bound| figure > bound)?;
            Some(format!(
                "{accounts} accounts: {name}: {figure:.2} > {bound}"
            ))
        });
        broken.collect()
    }
}

fn measure(accounts: usize) -> Figures {
    println!("{accounts} accounts");
    let (_aws, url) = start_aws(accounts);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    fs::write(folder.path().join("secret"), SECRET).expect("the folder can be written");
    let config = folder.path().join("quota-oracle.toml");
    let configure = |snapshots: &str, preload: bool| {
        let text = configuration(accounts, &url, snapshots, preload);
        fs::write(&config, text).expect("the folder can be written");
    };
    let mut figures = Figures::default();

    configure("unused", false);
    let quiet = start(&config, Stdio::null()).until_ready();
    figures.note("MiB before any call", quiet.resident_mib(), None);
    quiet.stop();

    configure("snapshots", true);
    let service = start(&config, Stdio::null());
    figures.note(
        "s until all is read, cold",
        until_all_is_read(&service, accounts),
        None,
    );
    figures.note("MiB with all regions read", service.resident_mib(), 200.0);
    measure_answers(&service, &mut figures);
    measure_processor_time(&service, &mut figures);
    figures.note("MiB after these answers", service.resident_mib(), None);
    service.stop();

    let mut restarts: Vec<f64> = (0..3)
        .map(|_| {
            let service = start(&config, Stdio::null()).until_ready();
            let ready_after = service.ready_after.as_secs_f64();
            service.stop();
            ready_after
        })
        .collect();
    figures.note("s until ready, from snapshots", median(&mut restarts), 1.0);

    configure("busy", true);
    let log = folder.path().join("log");
    let busy = keep_busy();
    let service = start(
        &config,
        File::create(&log)
            .expect("the folder can be written")
            .into(),
    );
    let read_after = until_all_is_read(&service, accounts);
    drop(busy);
    service.stop();
    let log = fs::read_to_string(&log).expect("the service has logged");
    let opened = log.matches("circuit breaker opened").count();
    figures.note("s until all is read, cold and busy", read_after, None);
    figures.note("breakers opened, cold and busy", opened as f64, 0.0);
    figures
}

/// Starts the service with as many threads as it takes by itself.
fn start(config: &Path, log: Stdio) -> Service {
    Service::spawn_with(config, None, log)
}

/// Waits until every region of every account was read, and returns the seconds since the start.
fn until_all_is_read(service: &Service, accounts: usize) -> f64 {
    let started = Instant::now();
    loop {
        let read = service
            .get("/quotas")
            .map(|answer| answer.matches("\"taken_at\":\"").count());
        if read.is_some_and(|read| read >= accounts * REGIONS) {
            return started.elapsed().as_secs_f64();
        }
        assert!(
            started.elapsed() < Duration::from_secs(900),
            "{read:?} regions only"
        );
        thread::sleep(Duration::from_millis(250));
    }
}

fn measure_answers(service: &Service, figures: &mut Figures) {
    let time = |path: &str| {
        let asked = Instant::now();
        let answer = service.get(path).expect("the service answers");
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        (asked.elapsed().as_secs_f64() * 1e3, answer.len())
    };
    let often = |path: &str, times: usize| {
        let mut took: Vec<f64> = (0..times).map(|_| time(path).0).collect();
        median(&mut took)
    };
    let first = "/offers?limit=100";
    figures.note(&format!("ms: {first}"), often(first, 21), FIRST_PAGE_MS);
    // Every path of the run is another one, whatever it measures.
    let mut serial = 1000;
    let mut unasked = |path: &str| {
        serial += 1;
        time(&path.replace("{}", &serial.to_string())).0
    };
    for (name, path) in PAGES {
        let mut took: Vec<f64> = (0..21).map(|_| unasked(path)).collect();
        figures.note(&format!("ms: {name}"), median(&mut took), PAGE_MS);
    }

    let mut firsts = Vec::new();
    let mut pages = vec![Vec::new(); PAGES.len()];
    for region in REFRESHED {
        refresh(service, region);
        let read = Instant::now();
        firsts.push(time(first).0);
        for ((_, path), took) in PAGES.iter().zip(&mut pages) {
            took.push(unasked(path));
        }
        let late = read.elapsed() > Duration::from_secs(1);
        println!(
            "  {region} read anew, asked {} within a second",
            if late { "not" } else { "all" }
        );
    }
    figures.note(
        &format!("ms: {first}, just read anew"),
        median(&mut firsts),
        FIRST_PAGE_MS,
    );
    for ((name, _), took) in PAGES.iter().zip(&mut pages) {
        figures.note(
            &format!("ms: {name}, just read anew"),
            median(took),
            PAGE_MS,
        );
    }

    let bound = knows_quota_metrics().then_some(100.0);
    figures.note("ms: /metrics", often("/metrics", 7), bound);
    figures.note("kB: /metrics", time("/metrics").1 as f64 / 1e3, None);
    figures.note("ms: /quotas", often("/quotas", 7), None);
    figures.note("ms: one backend", often("/quotas/aws-0", 7), None);
    figures.note("ms: one region", often("/quotas/aws-0/us-east-1", 21), None);
}

/// Reads a region of the first account anew, and waits until it is read.
fn refresh(service: &Service, region: &str) {
    let path = format!("/refresh/aws-0/{region}");
    let answer = service.ask("POST", &path).expect("the service answers");
    assert!(answer.starts_with("HTTP/1.1 2"), "{answer}");
}

fn measure_processor_time(service: &Service, figures: &mut Figures) {
    let spent = |seconds: u64| {
        let before = service.cpu();
        thread::sleep(Duration::from_secs(seconds));
        (service.cpu() - before).as_secs_f64()
    };
    // The refreshes that the last answers started have to end first.
    thread::sleep(Duration::from_secs(3));
    const IDLE: u64 = 20;
    figures.note("% of a core, idle", spent(IDLE) / IDLE as f64 * 100.0, 0.99);
    let (calls, cpu) = (upstream_calls(service), service.cpu());
    for region in REFRESHED {
        refresh(service, region);
    }
    let cpu = service.cpu() - cpu;
    let calls = upstream_calls(service) - calls;
    let each = cpu.as_secs_f64() * 1e3 / calls;
    figures.note("ms of processor time per refresh call", each, None);
}

/// Calls to AWS so far.
fn upstream_calls(service: &Service) -> f64 {
    let metrics = service.get("/metrics").expect("the service answers");
    let lines = metrics
        .lines()
        .filter(|line| line.starts_with("quota_oracle_upstream_calls_total"));
    lines
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Whether the configuration has the key that leaves most quotas out of the metrics.
fn knows_quota_metrics() -> bool {
    include_str!("../config/quota-oracle.example.toml").contains("quota_metrics")
}

/// A configuration with a backend for each account.
fn configuration(accounts: usize, url: &str, snapshots: &str, preload: bool) -> String {
    // Fresh for longer than the run lasts, so that a restart has nothing to read.
    let mut text =
        format!("[cache]\ndirectory = \"{snapshots}\"\nfresh_for = \"1h\"\nstale_for = \"2h\"\n");
    if knows_quota_metrics() {
        text += "[telemetry]\nquota_metrics = \"demanded\"\n";
    }
    for account in 0..accounts {
        let key = access_key_id(account);
        write!(
            text,
            r#"
            [[backends]]
            name = "aws-{account}"
            kind = "aws"
            preload = {preload}
            refresh_every = "1h"
            endpoint_url = "{url}"
            credentials = {{ source = "static", access_key_id = "{key}", secret_access_key_file = "secret" }}
            "#
        )
        .expect("a string takes all that is written");
    }
    text
}

/// Prints all figures, each with its growth from the fewest accounts on.
fn print_table(runs: &[(usize, Figures)]) {
    let Some((_, fewest)) = runs.first() else {
        return;
    };
    print!("\n{:<52}", "accounts");
    runs.iter()
        .for_each(|(accounts, _)| print!("{accounts:>20}"));
    for (row, (name, first, bound)) in fewest.0.iter().enumerate() {
        print!("\n{name:<52}");
        for (_, figures) in runs {
            let figure = figures.0[row].1;
            let growth = if *first > 0.0 { figure / first } else { 1.0 };
            print!("{figure:>11.2} ({growth:>5.1}x)");
        }
        if let Some(bound) = bound {
            print!("   at most {bound} up to {BOUNDED} accounts");
        }
    }
    println!();
}
