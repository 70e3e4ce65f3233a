//! The places that replicas have among all: their turns go by them while the store is away.

use super::*;

struct Replica {
    status: Arc<StoreStatus>,
    keeping: tokio::task::JoinHandle<()>,
}

impl Replica {
    async fn join(server: &StoreServer) -> Self {
        let store = redis_store(&server.url(), &["aws"], Clock::system());
        let status = store.status();
        let keeping = tokio::spawn(store.keep());
        let replica = Self { status, keeping };
        replica.until_returned(1).await;
        replica
    }

    async fn until_returned(&self, times: u64) {
        let mut state = self.status.subscribe();
        let back = state.wait_for(|state| state.away.is_none() && state.returns >= times);
        back.await.unwrap();
    }
}

async fn each_has_its_own(engine: Engine) {
    let mut server = StoreServer::start(engine);
    let mut replicas = Vec::new();
    for place in 0..5 {
        replicas.push(Replica::join(&server).await);
        // At once, and those before have not moved.
        let places = replicas.iter().map(|replica| replica.status.place());
        assert!(places.eq((0..=place).map(Some)));
    }
    // An empty store gives back the places, in any order of return.
    server.stop();
    for replica in &replicas {
        let mut state = replica.status.subscribe();
        let gone = state.wait_for(|state| state.away.is_some());
        gone.await.unwrap();
    }
    server.resume_empty();
    for replica in &replicas {
        replica.until_returned(2).await;
    }
    let places = replicas.iter().map(|replica| replica.status.place());
    assert!(places.eq((0..5).map(Some)));
}

#[tokio::test]
async fn on_redis() {
    each_has_its_own(Engine::Redis).await;
}

#[tokio::test]
async fn on_valkey() {
    each_has_its_own(Engine::Valkey).await;
}

#[tokio::test]
async fn the_place_of_one_that_has_ended_goes_to_the_next() {
    let server = StoreServer::start(Engine::Redis);
    let first = Replica::join(&server).await;
    let second = Replica::join(&server).await;
    first.keeping.abort();
    // As it is ten seconds later.
    let mut connection = server.connection().await;
    let mut command = redis::cmd("ZPOPMIN");
    command.arg("test:{replicas}:alive");
    let _: () = command.query_async(&mut connection).await.unwrap();
    let third = Replica::join(&server).await;
    assert_eq!(second.status.place(), Some(1));
    assert_eq!(third.status.place(), Some(0));
}
