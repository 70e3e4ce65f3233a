//! Leases among replicas: never more than there is room for.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use simulated_clouds::aws::SimulatedAws;
use tokio::task::JoinSet;
use tower::ServiceExt;

use super::{Replicas, replicas_of};
use crate::harness::{ACCOUNT, Answer, Engine, P, Setup, eventually, let_time_pass, plain_aws};

const CALLERS: usize = 200;
const ROOM: usize = 37;

fn make_room(aws: &SimulatedAws) {
    let controls = aws.controls();
    let limit = (ROOM * 8 + 100 + 7) as f64;
    controls.set_limit(ACCOUNT, "us-east-1", P, limit).unwrap();
    controls.set_usage(ACCOUNT, "us-east-1", P, 100.0).unwrap();
}

/// A launch that takes eight of the P quota.
fn wish() -> Value {
    let offer = json!({
        "backend": "aws", "region": "us-east-1", "instance_type": "p3.2xlarge",
        "spot": false, "cpus": 8,
    });
    json!({"offer": offer, "ttl": "5m"})
}

/// How many answers have this status, and are backed or not.
fn how_many(answers: &[Option<(u16, bool, Option<String>)>], wanted: (u16, bool)) -> usize {
    let alike = answers.iter().flatten().filter(|it| (it.0, it.1) == wanted);
    alike.count()
}

fn quiet(setup: Setup) -> Setup {
    setup
        .set("backends.0.refresh_every", "6h")
        .set("cache.fresh_for", "3h")
        .set("cache.stale_for", "6h")
}

#[tokio::test(start_paused = true)]
async fn of_two_hundred_callers_of_three_replicas_as_many_get_a_lease_as_there_is_room_for() {
    let aws = plain_aws().await;
    make_room(&aws);
    let setup = quiet(Setup::new(&aws));
    let replicas = replicas_of(&setup, &setup.hub(), 3).await;
    for replica in &replicas {
        replica.ready().await;
    }
    // A new ledger is not backed by anything at first.
    let_time_pass(std::time::Duration::from_secs(6)).await;
    let mut callers = JoinSet::new();
    for number in 0..CALLERS {
        let function = replicas[number % replicas.len()].function();
        let request = Request::post("/leases")
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Body::from(wish().to_string()))
            .unwrap();
        callers.spawn(async move { Answer::of(function.oneshot(request).await.unwrap()).await });
    }
    let answers = callers.join_all().await;
    let granted: Vec<_> = answers.iter().filter(|one| one.status == 201).collect();
    let refused = answers.iter().filter(|one| one.status == 409).count();
    assert_eq!((granted.len(), refused), (ROOM, CALLERS - ROOM));
    for lease in &granted {
        assert_eq!(lease.json()["backed"], true);
    }
    // Each replica has them all, and says so of the quota.
    for replica in &replicas {
        eventually("it has heard of all", async || {
            let leases = replica.get("/leases").await.json();
            leases["leases"].as_array().unwrap().len() == ROOM
        })
        .await;
        let row = replica.get("/quotas/aws/us-east-1").await.quota(P);
        assert_eq!(row["leased"], json!(ROOM * 8));
    }
    // What one has granted, another may commit, renew and end.
    let id = granted[0].json()["id"].as_str().unwrap().to_owned();
    for replica in &replicas {
        let renewed = replica.request(reqwest::Method::POST, &format!("/leases/{id}/renew"));
        let renewed = replica.send(renewed.json(&json!({"ttl": "1m"}))).await;
        assert_eq!(renewed.status, 200, "{}", renewed.text());
    }
    let path = format!("/leases/{id}");
    let ended = replicas[2].request(reqwest::Method::DELETE, &path);
    assert_eq!(replicas[2].send(ended).await.status, 204);
    eventually("all know that it has ended", async || {
        let again = replicas[0].request(reqwest::Method::DELETE, &path);
        replicas[0].send(again).await.status == 404
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_repeated_request_gets_the_same_lease_from_every_replica() {
    let aws = plain_aws().await;
    make_room(&aws);
    let setup = quiet(Setup::new(&aws));
    let replicas = replicas_of(&setup, &setup.hub(), 3).await;
    for replica in &replicas {
        replica.ready().await;
    }
    let mut ids = Vec::new();
    for replica in &replicas {
        let request = replica.request(reqwest::Method::POST, "/leases");
        let request = request.header("idempotency-key", "one").json(&wish());
        let answer = replica.send(request).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        ids.push(answer.json()["id"].clone());
    }
    assert_eq!((&ids[0], &ids[0]), (&ids[1], &ids[2]));
    let other = json!({"offer": wish()["offer"], "ttl": "4m"});
    let request = replicas[1].request(reqwest::Method::POST, "/leases");
    let request = request.header("idempotency-key", "one").json(&other);
    let answer = replicas[1].send(request).await;
    answer.problem(422, "idempotency-key-reused");
}

impl Replicas {
    /// Asks for leases from two hundred callers; whether each was granted, and backed.
    async fn ask_for_leases(&self) -> Vec<Option<(u16, bool, Option<String>)>> {
        self.ask_for_leases_of(CALLERS).await
    }

    async fn with_room(aws: &SimulatedAws, engine: Engine) -> Self {
        make_room(aws);
        let only = |setup: Setup| quiet(setup).set("backends.0.regions", vec!["us-east-1"]);
        let replicas = Self::start(aws, engine, only).await;
        for replica in 0..3 {
            replicas.get(replica, "/quotas/aws/us-east-1").await;
        }
        // A new ledger is not backed by anything at first.
        eventually("leases are backed", async || {
            let url = format!("{}/leases", replicas.url(0));
            let lease = replicas
                .client
                .post(url)
                .json(&wish())
                .send()
                .await
                .unwrap();
            let lease: Value = lease.json().await.unwrap();
            let id = lease["id"].as_str().unwrap();
            let url = format!("{}/leases/{id}", replicas.url(0));
            replicas.client.delete(url).send().await.unwrap();
            lease["backed"] == true
        })
        .await;
        replicas
    }

    async fn leases(&self, replica: usize) -> Vec<Value> {
        let answer = self.get(replica, "/leases").await;
        answer["leases"].as_array().unwrap().clone()
    }
}

async fn two_hundred_callers(engine: Engine) {
    let aws = plain_aws().await;
    let replicas = Replicas::with_room(&aws, engine).await;
    let answers = replicas.ask_for_leases().await;
    let count = |wanted| how_many(&answers, wanted);
    assert_eq!(count((201, true)), ROOM);
    assert_eq!(count((409, false)), CALLERS - ROOM);
    for replica in 0..3 {
        eventually("it has heard of all", async || {
            replicas.leases(replica).await.len() == ROOM
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_callers_of_three_processes_on_redis() {
    two_hundred_callers(Engine::Redis).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_callers_of_three_processes_on_valkey() {
    two_hundred_callers(Engine::Valkey).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_killed_meanwhile_changes_nothing() {
    let aws = plain_aws().await;
    let mut replicas = Replicas::with_room(&aws, Engine::Redis).await;
    let (mut victim, _) = replicas.replicas.remove(2);
    let url = {
        let line = victim.output();
        let start = line.find("\"listen\":\"").unwrap() + 10;
        let rest = &line[start..];
        format!("http://{}/leases", &rest[..rest.find('"').unwrap()])
    };
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS / 3 {
        let request = replicas.client.post(&url).json(&wish());
        callers.spawn(async move { request.send().await.is_ok() });
    }
    let first = callers.join_next().await;
    assert!(first.unwrap().unwrap());
    victim.kill();
    let (answers, _) = tokio::join!(replicas.ask_for_leases(), callers.join_all());
    let statuses: Vec<_> = answers.iter().flatten().map(|it| it.0).collect();
    assert_eq!(statuses.len(), CALLERS);
    for replica in 0..2 {
        eventually("what was granted is what there is room for", async || {
            replicas.leases(replica).await.len() == ROOM
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_store_stands_still_nothing_is_granted_as_backed() {
    let aws = plain_aws().await;
    let replicas = Replicas::with_room(&aws, Engine::Redis).await;
    let before = replicas.ask_for_leases_of(20).await;
    assert_eq!(how_many(&before, (201, true)), 20);
    replicas.server.pause();
    let meanwhile = replicas.ask_for_leases().await;
    replicas.server.go_on();
    replicas.until_store_is(true).await;
    let after = replicas.ask_for_leases().await;
    let all = [before, meanwhile.clone(), after].concat();
    let backed = how_many(&all, (201, true));
    assert!(backed <= ROOM, "{backed}");
    assert!(how_many(&meanwhile, (201, false)) > 0, "{meanwhile:?}");
    assert!(meanwhile.iter().all(Option::is_some), "{meanwhile:?}");
    // What was granted meanwhile all know in the end.
    let granted: BTreeSet<_> = all.iter().flatten().filter_map(|it| it.2.clone()).collect();
    eventually("all know the same", async || {
        let mut known = Vec::new();
        for replica in 0..3 {
            let leases = replicas.leases(replica).await.into_iter();
            let ids = leases.map(|lease| lease["id"].as_str().unwrap().to_owned());
            known.push(ids.collect::<BTreeSet<_>>());
        }
        known.iter().all(|ids| *ids == granted)
    })
    .await;
}

impl Replicas {
    async fn ask_for_leases_of(&self, callers: usize) -> Vec<Option<(u16, bool, Option<String>)>> {
        let requests = (0..callers).map(|number| {
            let url = format!("{}/leases", self.url(number));
            self.client.post(url).json(&wish())
        });
        let requests: Vec<_> = requests.collect();
        self.crowd(requests, |status, body| {
            let id = body["id"].as_str().map(str::to_owned);
            (status, body["backed"] == true, id)
        })
        .await
    }
}
